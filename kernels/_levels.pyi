NAMES: tuple[str, ...]
LEVELS: tuple[str, ...]
NUMBER: int
LEVEL: str

def chosen(forced: str) -> int: ...
