"""Prompts are checked before anything is asked with them: each fault is found, and said in one exact sentence."""

import hashlib
import os
from pathlib import Path

import pytest

from domain.inference import InferenceTask
from prompts.loading import LONGEST, SHIPPED, PromptsAreFaulty, file_name, load_prompts, read_prompts
from prompts.shapes import EXPECTED
from tests.installation import Installation

RISK = (SHIPPED / "risk_analyzer.md").read_text()
CCTV = (SHIPPED / "cctv_profiler.md").read_text()
VERSIONS = {InferenceTask.CCTV_PROFILER: "2"}
UNFIT = "the output schema does not fit:"
PROMPT_FILES = "cctv_profiler.md, lead_tagger.md, prompt_expander.md, qd_calculator.md, risk_analyzer.md"


def faults_of(folder: Path, text: str | bytes, name: str = "risk_analyzer.md") -> list[str]:
    """Put a prompt into the folder; return what is wrong with it, without its path."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    prompts, faults = read_prompts(folder)
    assert len(prompts) == 5 - len({fault.partition(": ")[0] for fault in faults})
    return [fault.removeprefix(f"{path}: ") for fault in faults]


def test_every_task_but_chat_has_a_prompt() -> None:
    prompts = load_prompts()
    assert set(prompts) == set(InferenceTask) - {InferenceTask.CHAT} == set(EXPECTED)
    for task, prompt in prompts.items():
        content = (SHIPPED / file_name(task)).read_bytes()
        assert (prompt.task, prompt.path, prompt.version) == (task, SHIPPED / file_name(task), VERSIONS.get(task, "1"))
        assert prompt.hash == hashlib.sha256(content).hexdigest()
        assert prompt.variables == EXPECTED[task].variables
    assert {path.name for path in SHIPPED.glob("*.md")} == {file_name(task) for task in EXPECTED}


def test_no_prompt_speaks_of_what_no_model_is_told() -> None:
    """Plates are never sent; a prompt that asks for them is an invitation to invent some."""
    system = load_prompts()[InferenceTask.CCTV_PROFILER].system
    assert "You are told no number plate and no name. Write neither" in system


def test_every_field_is_described() -> None:
    def undescribed(schema: object, place: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        fields = {**schema.get("properties", {}), **({"items": schema["items"]} if "items" in schema else {})}
        missing = [place] if "." in place and not place.endswith("items") and "description" not in schema else []
        return missing + [found for name, field in fields.items() for found in undescribed(field, f"{place}.{name}")]

    assert [found for task, prompt in load_prompts().items() for found in undescribed(prompt.schema, task.name)] == []


def test_a_folder_takes_the_place_of_what_it_has(tmp_path: Path) -> None:
    own = RISK.replace('version = "1"', 'version = "night-2"').replace("## User", "## User\n\nIt is night.")
    assert faults_of(tmp_path, own) == []
    prompts = load_prompts(tmp_path)
    assert prompts[InferenceTask.RISK_ANALYZER].path == tmp_path / "risk_analyzer.md"
    assert prompts[InferenceTask.RISK_ANALYZER].version == "night-2"
    assert prompts[InferenceTask.RISK_ANALYZER].hash == hashlib.sha256(own.encode()).hexdigest()
    assert prompts[InferenceTask.RISK_ANALYZER].user.startswith("It is night.\n")
    assert prompts[InferenceTask.LEAD_TAGGER] == load_prompts()[InferenceTask.LEAD_TAGGER]


def test_descriptions_are_the_files_own(tmp_path: Path) -> None:
    own = RISK.replace("What happened, in one sentence.", "Was geschah, in einem Satz.")
    assert faults_of(tmp_path, own) == []
    schema = load_prompts(tmp_path)[InferenceTask.RISK_ANALYZER].schema
    assert "Was geschah, in einem Satz." in str(schema)


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    assert faults_of(tmp_path, RISK.replace("\n", "\r\n")) == []
    windows, unix = load_prompts(tmp_path)[InferenceTask.RISK_ANALYZER], load_prompts()[InferenceTask.RISK_ANALYZER]
    assert (windows.system, windows.user) == (unix.system, unix.user)
    assert windows.hash != unix.hash


def test_what_may_be_null_may_be_null_in_its_list_of_values() -> None:
    schema = load_prompts()[InferenceTask.CCTV_PROFILER].schema
    assert isinstance(schema["properties"], dict)
    kind = schema["properties"]["visitor_kind"]
    assert kind["type"] == ["string", "null"]
    assert kind["enum"] == ["individual", "couple", "family", "group", "staff", "delivery", None]


@pytest.mark.parametrize(
    ("before", "after", "faults"),
    [
        (
            "+++\nversion",
            "---\nversion",
            ["there is no front matter: TOML between two lines of +++, from the first line on."],
        ),
        (
            "\n+++\n\n# The risk",
            "\n\n# The risk",
            ["there is no front matter: TOML between two lines of +++, from the first line on."],
        ),
        (
            'version = "1"',
            "version = ",
            ["the front matter is no TOML: Invalid value (at line 1, column 11), counted from the line after +++."],
        ),
        ('version = "1"\n', "", ["the front matter lacks `version`, a text."]),
        ('version = "1"', "version = 1", ["`version` has to be a text."]),
        (
            'version = "1"',
            'version = ""',
            ["`version` has to be 1 to 40 letters, digits, points, hyphens and underscores."],
        ),
        ("max_tokens = 800", "max_tokens = 0", ["`max_tokens` is 0, and has to be 1 to 8192."]),
        ("max_tokens = 800", "max_tokens = true", ["`max_tokens` has to be a whole number."]),
        (
            "max_tokens = 800",
            "max_tokens = 800\nmodel = 'large'",
            ["the front matter has `model`, which is unknown. It has `version`, `max_tokens`, `variables`, `output`."],
        ),
        (
            "camera = ",
            "kamera = ",
            [
                "the variable `kamera` is unknown. There are `camera`, `detections`.",
                "the variable `camera` is missing.",
                "`{{camera}}` is used, and `camera` is no variable.",
                "the variable `kamera` is never used.",
            ],
        ),
        (
            'camera = "The camera\'s name."\n',
            "",
            ["the variable `camera` is missing.", "`{{camera}}` is used, and `camera` is no variable."],
        ),
        (
            'camera = "The camera\'s name."',
            "camera = 1",
            ["the variable `camera` has to be described by a text."],
        ),
        ("{{camera}}", "Gate 2", ["the variable `camera` is never used."]),
        (
            "{{camera}}",
            "{{camera}} {{camera}}",
            ["`{{camera}}` is used 2 times. Data stands in one place."],
        ),
        (
            "{{detections}}\n",
            "{{detections}} {{ detection }}\n",
            ["`{{detection}}` is used, and `detection` is no variable."],
        ),
        (
            "You judge what",
            "{{camera}} You judge what",
            ["`{{camera}}` stands under `## System`. Data belongs under `## User`."],
        ),
        (
            "## System",
            "## Instructions",
            ["the text has to have the headings `## System` and `## User`, each once and in this order."],
        ),
        (
            "## User",
            "## User\n\n## User",
            ["the text has to have the headings `## System` and `## User`, each once and in this order."],
        ),
        (
            "maximum = 100",
            "maximum = 10",
            ["the output schema does not fit: `output.properties.score.maximum` is 10, and has to be 100."],
        ),
        (
            'type = "integer"',
            'type = "int"',
            ['the output schema does not fit: `output.properties.score.type` is "int", and has to be "integer".'],
        ),
        (
            "maximum = 100\n",
            "",
            ["the output schema does not fit: `output.properties.score.maximum` is missing; it is 100."],
        ),
        (
            "maximum = 100",
            "maximum = 100\nmultipleOf = 5",
            ["the output schema does not fit: `output.properties.score.multipleOf` is unknown."],
        ),
        (
            'required = ["score", "summary", "reasoning"]',
            'required = ["score"]',
            [f'{UNFIT} `output.required` is ["score"], and has to be ["score", "summary", "reasoning"].'],
        ),
        (
            "additionalProperties = false",
            "additionalProperties = 0",
            ["the output schema does not fit: `output.additionalProperties` is 0, and has to be false."],
        ),
    ],
)
def test_a_fault_is_found(tmp_path: Path, before: str, after: str, faults: list[str]) -> None:
    assert RISK.count(before) == 1
    assert faults_of(tmp_path, RISK.replace(before, after)) == faults


def test_lists_say_the_same_in_any_order(tmp_path: Path) -> None:
    assert (
        faults_of(tmp_path, RISK.replace('["score", "summary", "reasoning"]', '["reasoning", "score", "summary"]'))
        == []
    )


def test_a_section_without_text(tmp_path: Path) -> None:
    head, _, _ = RISK.partition("## System")
    text = f"{head}## System\n\n## User\n\n{{{{camera}}}} {{{{detections}}}}\n"
    assert faults_of(tmp_path, text) == ["there is nothing under `## System`."]


def test_a_value_that_is_not_offered(tmp_path: Path) -> None:
    text = CCTV.replace('"delivery"]', '"delivery", "thief"]')
    [fault] = faults_of(tmp_path, text, "cctv_profiler.md")
    assert fault == (
        "the output schema does not fit: `output.properties.visitor_kind.enum` is"
        ' ["individual", "couple", "family", "group", "staff", "delivery", "thief", null], and has to be'
        ' ["individual", "couple", "family", "group", "staff", "delivery", null].'
    )


def test_files_that_are_no_text(tmp_path: Path) -> None:
    assert faults_of(tmp_path, b"+++\nversion = \xff") == ["it is not UTF-8, at byte 14."]
    assert faults_of(tmp_path, b" " * (LONGEST + 1)) == [f"it has {LONGEST + 1} bytes, and {LONGEST} are allowed."]


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever administers the machine may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "risk_analyzer.md").write_text(RISK)
    (tmp_path / "risk_analyzer.md").chmod(0)
    assert read_prompts(tmp_path)[1] == (f"{tmp_path}/risk_analyzer.md: it cannot be read: Permission denied.",)


def test_a_name_that_no_prompt_has(tmp_path: Path) -> None:
    (tmp_path / "lead_taggr.md").write_text(RISK)
    (tmp_path / "notes.txt").write_text("Not a prompt.")
    with pytest.raises(PromptsAreFaulty) as faulty:
        load_prompts(tmp_path)
    assert faulty.value.faults == (
        f"{tmp_path}/lead_taggr.md: there is no prompt of this name. There are {PROMPT_FILES}.",
    )


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PromptsAreFaulty) as faulty:
        load_prompts(tmp_path / "prompts")
    assert faulty.value.faults == (f"{tmp_path}/prompts: there is no such folder of prompts.",)


def test_the_command_and_the_start_say_what_is_wrong(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "var")
    done = installation.run("prompts", "check")
    first = load_prompts()[InferenceTask.QD_CALCULATOR].hash[:12]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"QD_CALCULATOR    version 1, {first}, of this release"
    assert done.stdout.splitlines()[-1] == "5 prompts, 0 faults."

    (tmp_path / "risk_analyzer.md").write_text(RISK.replace("maximum = 100", "maximum = 10"))
    installation.settings["VELOCITY_PROMPTS_DIR"] = str(tmp_path)
    fault = (
        f"{tmp_path}/risk_analyzer.md: the output schema does not fit:"
        " `output.properties.score.maximum` is 10, and has to be 100."
    )
    done = installation.run("prompts", "check")
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (1, [fault, "4 prompts, 1 faults."])

    installation.settings["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    done = installation.run("serve")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, f"velocity: The prompts cannot be used. {fault}")
