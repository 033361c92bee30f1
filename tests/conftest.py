import gc
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from inspect import iscoroutinefunction
from pathlib import Path

import hypothesis
import pytest
from anyio.from_thread import BlockingPortal
from mcp import Client

from callwright.api.client import ApiClient
from callwright.app import App

from .alone import like_a_test_run
from .hosted.hosted_server import Hosted, Tenant, hosting
from .lanes import LANES, lane_of, may_hold
from .transports import PLACES, Clock, numbered, reach, server, settings

like_a_test_run()

# The same examples in every run, and no verdict by the clock: a busy machine is no defect.
hypothesis.settings.register_profile(
    "callwright", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("callwright")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that ask for `either_platform` run against both; not those that say why, nor those that wait for nothing."""
    if "either_platform" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("embedded_only")
        assert mark is None or mark.args, f"{metafunc.definition.nodeid} does not say why"
        alone = mark or not iscoroutinefunction(metafunc.function)
        metafunc.parametrize("either_platform", ["embedded"] if alone else ["embedded", "hosted"], indirect=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lane", choices=LANES, help="only the tests of this part of the suite (docs/testing.md)")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    lane: str | None = config.getoption("lane")
    return True if lane and collection_path.is_file() and not may_hold(collection_path, lane) else None


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """Against the hosted platform in one era only: what differs there is below the protocol."""
    lane: str | None = config.getoption("lane")
    items[:] = [
        item for item in items if not {"hosted", "legacy"} <= _axes(item) and (lane is None or lane_of(item) == lane)
    ]


def pytest_collection_finish() -> None:
    """What is there by now stays until the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


def _axes(item: pytest.Item) -> set[object]:
    chosen: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    return {chosen.get("either_platform"), chosen.get("era")}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What this machine lacks is told loudly: tests that were skipped for it prove nothing."""
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple))
    for reason, number in reasons.items():
        if (lacking := reason.removeprefix("Skipped: ")).startswith("no "):
            terminalreporter.write_line(f"NOT TESTED, {number} tests: {lacking}", red=True, bold=True)


@pytest.fixture(scope="session")
def elsewhere() -> Generator[tuple[BlockingPortal, str, dict[str, Tenant]]]:
    with hosting() as found:
        yield found


@pytest.fixture
def either_platform(request: pytest.FixtureRequest) -> Generator[str]:
    """Where servers of this test do their work. Elsewhere, everything that they ask is looked at."""
    if request.param == "embedded":
        yield "embedded"
        return
    hosted = Hosted(*request.getfixturevalue("elsewhere"))
    PLACES.append(hosted)
    yield "hosted"
    PLACES.remove(hosted)
    assert hosted.close() == []


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def app(tmp_path: Path, clock: Clock) -> AsyncGenerator[App]:
    """The whole server on an empty platform, with a clock and ids of the test's own."""
    app = server(settings(tmp_path / "home"), clock=clock, ids=numbered())
    yield app
    await app.close()


@pytest.fixture
async def api(app: App) -> ApiClient:
    """The API layer over the real engine, in this process or over HTTP."""
    return await app.api()


@pytest.fixture
async def client(app: App) -> AsyncGenerator[Client]:
    """An MCP client whose person says yes."""
    async with reach(app, says="yes") as (client, _):
        yield client
