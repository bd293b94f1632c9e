"""Publishing components: archives to S3, recipes to Greengrass, by boto3 and its usual places for keys and region."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from edge.shipment.errors import ShipmentFailed, ShipmentInvalid
from edge.shipment.making import Made
from edge.shipment.recipes import BUCKET

try:
    import boto3
    from botocore import exceptions
    from botocore.config import Config
except ImportError as error:
    raise ShipmentFailed(
        f"publishing needs boto3, which is not installed ({error}): pip install 'lensracer[cloud]'"
    ) from error

PATIENCE_S = 60


class Publisher:
    """Publishes to one bucket and region. Raises ShipmentInvalid where keys or region are missing."""

    def __init__(self, bucket: str, region: str | None = None) -> None:
        self._bucket = bucket
        settings = Config(connect_timeout=PATIENCE_S, read_timeout=PATIENCE_S, retries={"max_attempts": 4})
        try:
            self._s3 = boto3.client("s3", region_name=region, config=settings)
            self._greengrass = boto3.client("greengrassv2", region_name=region, config=settings)
        except exceptions.BotoCoreError as error:
            raise ShipmentInvalid(f"publishing cannot begin: {error}") from None

    def publish(self, made: Made) -> Iterator[str]:
        """Upload the archives, then create the component's version; a sentence for each step. Raises ShipmentFailed.

        A version that exists already is left as it is: versions of components never change.
        """
        for path in made.files:
            key = f"{made.name}/{made.version}/{path.name}"
            self._done(f"the upload of {path.name}", self._s3.upload_file, str(path), self._bucket, key)
            yield f"{path.name} is at s3://{self._bucket}/{key}"
        recipe = json.dumps(self._placed(made.recipe, made)).encode()
        try:
            told = self._done(
                f"the creation of {made.name} {made.version}",
                self._greengrass.create_component_version,
                inlineRecipe=recipe,
            )
        except AlreadyThere:
            yield f"{made.name} {made.version} exists already, and stays as it is"
        else:
            yield f"{made.name} {made.version} is {told['arn']}"

    def _placed(self, recipe: Mapping[str, Any], made: Made) -> Any:
        """The recipe with the archives' true places."""
        place = f"s3://{self._bucket}/{made.name}/{made.version}"
        return json.loads(json.dumps(recipe).replace(BUCKET, place))

    def _done(self, what: str, step: Any, *given: Any, **named: Any) -> Any:
        try:
            return step(*given, **named)
        except exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ConflictException":
                raise AlreadyThere from error
            raise ShipmentFailed(f"{what} failed: {error}") from error
        except (exceptions.BotoCoreError, boto3.exceptions.Boto3Error, OSError) as error:
            raise ShipmentFailed(f"{what} failed: {error}") from error


class AlreadyThere(Exception):
    """The version exists."""
