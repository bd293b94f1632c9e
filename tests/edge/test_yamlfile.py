"""Every key has its line, and what cannot be read is refused with its place."""

from pathlib import Path

import pytest

from edge import yamlfile
from edge.errors import ConfigInvalid

Refusal = pytest.ExceptionInfo[ConfigInvalid]


def document(folder: Path, text: str | bytes) -> yamlfile.Document:
    path = folder / "some.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return yamlfile.load(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigInvalid) as caught:
        document(folder, text)
    return str(caught.value)


def test_every_dotted_key_and_item_has_its_line(tmp_path: Path) -> None:
    found = document(tmp_path, "a: 1\n\nb:\n  c: {d: 2,\n   e: 3}\n  f:\n  - x\n  - g: y\n")
    assert found.values == {"a": 1, "b": {"c": {"d": 2, "e": 3}, "f": ["x", {"g": "y"}]}}
    expected = {
        "a": 1,
        "b": 3,
        "b.c": 4,
        "b.c.d": 4,
        "b.c.e": 5,
        "b.f": 6,
        "b.f.0": 7,
        "b.f.1": 8,
        "b.f.1.g": 8,
    }
    assert found.lines == expected


def test_a_key_that_is_not_written_has_the_line_of_the_one_above_it(tmp_path: Path) -> None:
    found = document(tmp_path, "a: 1\nb:\n  c: 2\n")
    assert found.line("b.c.d.e") == 3
    assert found.line("b.x") == 2
    assert found.line("x.y") is None


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_file_is_an_empty_mapping(tmp_path: Path, text: str) -> None:
    assert document(tmp_path, text).values == {}


def test_a_merge_brings_keys_in_beneath_the_mappings_own(tmp_path: Path) -> None:
    found = document(tmp_path, "base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  y: 3\n")
    assert found.values["more"] == {"x": 1, "y": 3}
    assert found.lines["more.y"] == 4
    assert found.lines["more.x"] == 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [1, 2\n", 3, "not readable as YAML"),
        ("a: 1\n\tb: 2\n", 2, "not readable as YAML"),
        ("a: 1\na: 2\n", 2, "a: stands here a second time, first in line 1"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, "a.b: stands here a second time, first in line 2"),
        ("- 1\n- 2\n", 1, "keys and values, not a list"),
        ("just words\n", 1, "keys and values, not text"),
        ("a: 1\n5: 2\n", 2, "keys are text"),
        ("on: 1\n", 1, "keys are text; bool 'on'"),
        ("a:\n  ? [1]\n  : 2\n", 2, "keys are text"),
        ("a: 1\n---\nb: 2\n", 2, "not readable as YAML"),
        ("a: *nowhere\n", 1, "undefined alias"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "could not determine a constructor"),
        (b"a: 1\nb: \xff\xfe\n", 2, "not text in UTF-8"),
    ],
)
def test_what_is_not_ours_to_read_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, line: int, words: str
) -> None:
    sentence = refusal(tmp_path, text)
    assert sentence.startswith(f"{tmp_path}/some.yaml:{line}: ")
    assert words in sentence


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]\n",
        "a: &a\n  <<: *a\n  b: 1\n",
        "a: " + "[" * 60 + "]" * 60 + "\n",
        "a: " + "[" * 20_000,
        "a: &a [x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdef", "bcdefg", strict=True)
        ),
        "a: &a {x: 1}\n"
        + "".join(
            f"{c}: &{c} {{<<: [{','.join(['*' + p] * 9)}]}}\n"
            for p, c in zip("abcdefg", "bcdefgh", strict=True)
        ),
        "a: 2026-13-45\n",
        "a: 1\x00\n",
    ],
    ids=["cycle", "merged cycle", "deep", "deeper", "many aliases", "many merges", "no date", "null byte"],
)
def test_hostile_files_are_refused_and_harm_nothing(tmp_path: Path, text: str) -> None:
    assert "some.yaml" in refusal(tmp_path, text)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    assert "is larger than" in refusal(tmp_path, "#" * (yamlfile.LARGEST + 1))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="does not exist"):
        yamlfile.load(tmp_path / "absent.yaml")
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        yamlfile.load(tmp_path)


def test_the_reason_shows_nothing_of_the_files_values(tmp_path: Path) -> None:
    assert "hunter2" not in refusal(tmp_path, "password: hunter2: x\n")
    assert "hunter2" not in refusal(tmp_path, "password: 'hunter2\n")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("0.5", 0.5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("{a: 1}", {"a": 1}),
        ("x y", "x y"),
        ("", None),
        ("~", None),
    ],
)
def test_a_value_of_the_command_line_is_a_scalar_or_flow_yaml(text: str, value: object) -> None:
    assert yamlfile.scalar(text) == value


@pytest.mark.parametrize("text", ["[1", "*a", "a: b: c", "{a: 1, a: 2}"])
def test_a_value_that_is_not_yaml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"value|second time"):
        yamlfile.scalar(text)


@pytest.mark.parametrize(
    "text",
    [
        "hunter2 is what opens it\n",
        "root:hunter2:20228:0:99999:7:::\nme:x:\n",
        "-----BEGIN KEY-----\nhunter2\n-----END KEY-----\n",
        "a: *hunter2\n",
        "!hunter2 words\n",
        "a: !hunter2 words\n",
        "a: &hunter2 1\nb: &hunter2 2\nc: [hunter2\n",
        "%hunter2\n",
        "? hunter2 hunter2\n",
        "2023-01-01: hunter2\n",
    ],
)
def test_what_a_file_that_is_none_of_settings_says_is_not_repeated(tmp_path: Path, text: str) -> None:
    (tmp_path / "shadow").write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        yamlfile.load(tmp_path / "shadow")
    assert "hunter2" not in str(caught.value)
    assert f"{tmp_path / 'shadow'}:" in str(caught.value)
