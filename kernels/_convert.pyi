from kernels.formats import Picture, PixelFormat

def convert(pixels: Picture, format: PixelFormat, out: Picture | None = None) -> Picture: ...  # noqa: A002
