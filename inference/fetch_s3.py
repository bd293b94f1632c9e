"""`s3:` addresses, by boto3 and its usual places for keys and region: environment, files, the machine's role."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, unquote

from inference.errors import AddressRefused, ExtraMissing, FetchFailed
from inference.fetch_address import Reach

try:
    import boto3
    from botocore import exceptions
    from botocore.config import Config
except ImportError as error:
    raise ExtraMissing(
        f"s3: addresses need boto3, which is not installed ({error}): pip install 'lensracer[cloud]'"
    ) from error

_BLOCK = 1 << 18
_CHANGED = (412, 416)  # not the version asked for any more, or shorter than what is here
_PASSING = (408, 429, 500, 502, 503, 504)
_SETUP = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.NoRegionError,
    exceptions.ProfileNotFound,
    exceptions.ParamValidationError,
)


class S3Body:
    """See inference.fetch.Body."""

    def __init__(self, answer: dict[str, Any], start: int, told: str) -> None:
        self._stream = answer["Body"]
        self._told = told
        self.start = start
        self.total: int | None = start + int(answer["ContentLength"])
        self.mark = str(answer.get("ETag", ""))

    def blocks(self) -> Iterator[bytes]:
        try:
            while block := self._stream.read(_BLOCK):
                yield block
        except (exceptions.BotoCoreError, OSError) as error:
            raise FetchFailed(f"{self._told} was cut off: {error}", passing=True) from None

    def close(self) -> None:
        self._stream.close()


class S3Source:
    """See inference.fetch.Source."""

    def __init__(self, bucket: str, key: str, patience: float) -> None:
        self._bucket = bucket
        self._key = key
        self._told = f"s3://{bucket}/{key}"
        settings = Config(connect_timeout=patience, read_timeout=patience, retries={"max_attempts": 0})
        try:
            self._client = boto3.session.Session().client("s3", config=settings)
        except (exceptions.BotoCoreError, ValueError) as error:
            raise AddressRefused(f"{self._told} cannot be asked for: {error}") from None

    def open(self, start: int, mark: str) -> S3Body:
        wanted = {"Range": f"bytes={start}-"} if start else {}
        if start and mark:
            wanted["IfMatch"] = mark
        try:
            return S3Body(
                self._client.get_object(Bucket=self._bucket, Key=self._key, **wanted), start, self._told
            )
        except exceptions.ClientError as error:
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            if start and status in _CHANGED:
                return self.open(0, "")
            raise FetchFailed(f"{self._told}: {error}", passing=status in _PASSING) from None
        except _SETUP as error:
            raise AddressRefused(f"{self._told} cannot be asked for: {error}") from None
        except exceptions.BotoCoreError as error:
            raise FetchFailed(f"{self._told} cannot be reached: {error}", passing=True) from None


def source(address: SplitResult, reach: Reach, patience: float) -> S3Source:
    key = unquote(address.path.lstrip("/"))
    if not key:
        raise AddressRefused(f"s3://{address.netloc} names a bucket; s3://bucket/key is a file in one")
    return S3Source(address.netloc, key, patience)
