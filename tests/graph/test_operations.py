"""The documents that clients send: each is there, stands alone in its file and validates against the schema."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, print_ast, validate

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "graph" / "operations"
FILES = sorted(OPERATIONS.iterdir())

NAMES = {
    # access
    *("AuditTrail", "Login", "SessionRefresh", "SessionRevoke", "Team", "Viewer"),
    # people and their timelines
    *("Activity", "CallTranscript", "Client360", "FactCorrect", "InteractionLog", "People", "PersonCreate"),
    *("PersonDuplicates", "PersonMerge", "PersonTimeline", "PersonUpdate", "QdHistory", "SentimentScatter"),
    # leads and deals
    *("Lead", "LeadAssign", "LeadBoard", "LeadCreate", "LeadDemographics", "LeadMove", "LeadTag", "LeadUpdate"),
    *("Opportunities", "OpportunityCreate", "OpportunityUpdate", "PipelineBoard", "PropertyInterestSet"),
    *("TaskComplete", "TaskCreate", "TaskUpdate", "Tasks"),
    # proposals
    *("ProposalDecide", "ProposalQueue"),
    # API keys and what they may send
    *("ApiKeyCreate", "ApiKeyRevoke", "ApiKeyRotate", "ApiKeys", "PersistedOperations"),
    # properties
    *("Projects", "Properties", "Property", "PropertyArchive", "PropertyCreate", "PropertyMediaAdd"),
    *("PropertyMediaRemove", "PropertyUpdate"),
    # files
    *("UploadCreate", "ViewerAvatarSet"),
    # perception
    *("ConsentGrant", "ConsentWithdraw", "Consents", "Erasure", "NotificationInbox", "NotificationsMarkRead"),
    *("PerceptionIngest", "PerceptionSession", "PerceptionSessionComplete", "PerceptionSessionMatch"),
    *("PerceptionSessionStart", "PerceptionSessions", "SceneMapUpload", "Videos"),
    # threads
    *("MessageSend", "Thread", "ThreadLinkPerson", "ThreadMarkRead", "ThreadOpen", "Threads"),
    # canvases
    *("CanvasCommit", "CanvasCreate", "CanvasData", "CanvasFork", "CanvasHistory", "CanvasRevision", "CanvasRollback"),
    *("CanvasShare", "CanvasUnshare", "CanvasUpdate", "CanvasView", "Canvases"),
    *("MergeRequest", "MergeRequestMerge", "MergeRequestOpen", "MergeRequestReview", "MergeRequests"),
    # jobs, models and renders
    *("InferenceJob", "InferenceProviderUpdate", "InferenceProviders", "InferenceSubmit", "JobCancel", "JobRetry"),
    *("JobUpdates", "Jobs", "RenderJob", "RenderSubmit"),
    # what cameras saw
    *("CctvEventIngest", "CctvEvents", "DetectionBatchSubmit"),
    # machines
    *("Fleet", "FleetModeSet", "FleetUpdates"),
    # subscriptions
    *("CanvasUpdates", "CrmActivity", "Notifications", "PerceptionScores", "ThreadMessages"),
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((ROOT / "schema.graphql").read_text())


def test_every_operation_has_its_file() -> None:
    assert len(NAMES) == 111
    assert {file.name for file in FILES} == {f"{name}.graphql" for name in NAMES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_operation_validates(file: Path, schema: GraphQLSchema) -> None:
    assert [error.message for error in validate(schema, parse(file.read_text()))] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_is_one_printed_operation_of_its_name(file: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    [definition] = parse("".join(lines)).definitions
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.name is not None
    assert definition.name.value == file.stem
    # The id of a trusted document is a hash of its text, so the text has one form.
    assert "".join(line for line in lines if not line.startswith("# ")) == print_ast(definition) + "\n"
