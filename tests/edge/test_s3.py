"""Publishing components, with the genuine boto3 against a cloud on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_stub import Cloud, cloud

from edge.s3 import Publisher
from edge.shipment import recipes
from edge.shipment.errors import ShipmentFailed, ShipmentInvalid
from edge.shipment.making import Made
from edge.shipment.target import Target

ZIP = "lensracer-runtime-x86_64.zip"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    with cloud() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield made


@pytest.fixture
def runtime(tmp_path: Path) -> Made:
    path = tmp_path / ZIP
    path.write_bytes(b"an archive")
    recipe = recipes.runtime("0.1.0", "1.0.0", {Target("x86_64", 11, 31): ZIP})
    return Made(recipes.RUNTIME, "0.1.0", recipe, {path: 10})


def test_archives_are_uploaded_where_the_recipe_says(aws: Cloud, runtime: Made) -> None:
    told = list(Publisher("bucket", "eu-central-1").publish(runtime))
    key = f"{recipes.RUNTIME}/0.1.0/{ZIP}"
    assert aws.objects == {f"bucket/{key}": b"an archive"}
    assert f'"Uri": "s3://bucket/{key}"' in json.dumps(aws.recipes[0])
    assert "BUCKET_NAME" not in json.dumps(aws.recipes[0])
    assert told[-1].endswith(f"{recipes.RUNTIME}:versions:0.1.0")


def test_a_version_that_exists_stays_as_it_is(aws: Cloud, runtime: Made) -> None:
    list(Publisher("bucket", "eu-central-1").publish(runtime))
    told = list(Publisher("bucket", "eu-central-1").publish(runtime))
    assert "exists already, and stays as it is" in told[-1]
    assert len(aws.recipes) == 1


def test_a_refused_upload_names_the_archive_and_no_secret(aws: Cloud, runtime: Made) -> None:
    aws.refuses = True
    with pytest.raises(ShipmentFailed, match=f"the upload of {ZIP} failed: .*AccessDenied") as refused:
        list(Publisher("bucket", "eu-central-1").publish(runtime))
    assert "canary" not in str(refused.value)
    assert aws.recipes == []


def test_a_missing_region_is_said(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ShipmentInvalid, match="publishing cannot begin: You must specify a region"):
        Publisher("bucket")
