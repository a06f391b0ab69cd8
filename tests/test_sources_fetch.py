"""Downloads, against a small server on this machine: nothing here reaches the outside."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from clusterbook.data.sources import abs_census, bea, cbp, eurostat, fetch, qcew, stats_nz, tidy, uk
from clusterbook.errors import ClusterbookError

BODY = bytes(range(256)) * 40  # 10,240 bytes, every position recognisable
Answer = Callable[["Handler"], None]


@dataclass
class Server:
    """Answers to give, in order, by path (the last one again and again), and the requests that came."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


class Handler(BaseHTTPRequestHandler):
    server_state: Server

    def do_GET(self) -> None:
        state = self.server_state
        state.requests.append((self.path, dict(self.headers)))
        answers = state.answers.get(self.path) or state.answers.get("*")
        if not answers:
            self.send_error(404, "Not Found")
            return
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, format: str, *args: object) -> None:
        pass


def send(body: bytes, *, status: int = 200, stop_after: int | None = None, **headers: str) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body[:stop_after])
        handler.close_connection = True

    return answer


def rest(etag: str) -> Answer:
    """Answer a range request with what is missing, as a server with the same edition of the file does."""

    def answer(handler: Handler) -> None:
        start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
        assert handler.headers["If-Range"] == etag
        span = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
        send(BODY[start:], status=206, ETag=etag, Content_Range=span)(handler)

    return answer


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; none of them is made."""
    asked: list[float] = []
    monkeypatch.setattr(fetch.time, "sleep", asked.append)
    monkeypatch.setattr(fetch, "PAUSE", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return asked


@pytest.fixture
def server(waits: list[float]) -> Iterator[Server]:
    state = Server()
    handler = type("BoundHandler", (Handler,), {"server_state": state})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    httpd.shutdown()
    httpd.server_close()


def test_a_file_is_fetched_once_and_says_who_asks(server: Server, tmp_path: Path) -> None:
    server.answers["/a.bin"] = [send(BODY)]
    for _ in range(2):
        assert fetch.download(f"{server.url}/a.bin", tmp_path / "a.bin").read_bytes() == BODY
    assert server.paths() == ["/a.bin"]
    assert server.requests[0][1]["User-Agent"].startswith("clusterbook/")
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_cut_download_is_taken_up_where_it_stopped(server: Server, tmp_path: Path, waits: list[float]) -> None:
    server.answers["/a.bin"] = [send(BODY, stop_after=3000, ETag='"v1"'), rest('"v1"')]
    assert fetch.download(f"{server.url}/a.bin", tmp_path / "a.bin").read_bytes() == BODY
    assert server.requests[1][1]["Range"] == "bytes=3000-"
    assert waits == [1.0]


def test_a_file_that_changed_meanwhile_is_fetched_whole(server: Server, tmp_path: Path) -> None:
    server.answers["/a.bin"] = [send(BODY, stop_after=3000, ETag='"v1"'), send(BODY[::-1], ETag='"v2"')]
    assert fetch.download(f"{server.url}/a.bin", tmp_path / "a.bin").read_bytes() == BODY[::-1]


def test_without_a_validator_nothing_is_resumed(server: Server, tmp_path: Path) -> None:
    server.answers["/a.bin"] = [send(BODY, stop_after=3000), send(BODY)]
    assert fetch.download(f"{server.url}/a.bin", tmp_path / "a.bin").read_bytes() == BODY
    assert "Range" not in server.requests[1][1]


def test_the_wrong_part_of_a_file_is_not_appended(server: Server, tmp_path: Path) -> None:
    wrong = send(BODY[:100], status=206, ETag='"v1"', Content_Range=f"bytes 0-99/{len(BODY)}")
    server.answers["/a.bin"] = [send(BODY, stop_after=3000, ETag='"v1"'), wrong, send(BODY)]
    assert fetch.download(f"{server.url}/a.bin", tmp_path / "a.bin").read_bytes() == BODY


def test_a_range_beyond_the_end_starts_again(server: Server, tmp_path: Path) -> None:
    server.answers["/a.bin"] = [send(BODY, stop_after=3000, ETag='"v1"'), send(b"", status=416), send(BODY)]
    assert fetch.download(f"{server.url}/a.bin", tmp_path / "a.bin").read_bytes() == BODY


def test_a_download_that_never_ends_whole_leaves_no_file(server: Server, tmp_path: Path) -> None:
    server.answers["/a.bin"] = [send(BODY, stop_after=10)]
    with pytest.raises(ClusterbookError, match=r"ended after 10 of 10240 bytes; 5 attempts"):
        fetch.download(f"{server.url}/a.bin", tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()


def test_a_busy_office_is_asked_again_when_it_says(server: Server, tmp_path: Path, waits: list[float]) -> None:
    later = format_datetime(datetime.now(UTC) - timedelta(seconds=5))
    busy = [send(b"", status=429, Retry_After="7"), send(b"", status=503, Retry_After=later), send(b"", status=503)]
    server.answers["/a.bin"] = [*busy, send(BODY)]
    assert fetch.download(f"{server.url}/a.bin", tmp_path / "a.bin").read_bytes() == BODY
    assert waits == [7.0, 0.0, 4.0]  # as asked, the date has passed, third wait of its own


def test_an_office_that_wants_to_be_left_alone_is(server: Server, tmp_path: Path, waits: list[float]) -> None:
    server.answers["/a.bin"] = [send(b"", status=429, Retry_After="3600")]
    with pytest.raises(ClusterbookError, match=r"HTTP 429.*come back in 3600 seconds"):
        fetch.download(f"{server.url}/a.bin", tmp_path / "a.bin")
    assert waits == [] and len(server.requests) == 1


def test_a_refusal_is_final_and_shows_no_key(server: Server, tmp_path: Path) -> None:
    server.answers["/a?key=SECRET&x=1"] = [send(b"error: unknown variable 'EMPX'\nmore", status=400)]
    with pytest.raises(ClusterbookError) as error:
        fetch.download(f"{server.url}/a?key=SECRET&x=1", tmp_path / "a.json")
    assert "HTTP 400" in str(error.value) and "unknown variable 'EMPX'" in str(error.value)
    assert "key=...&x=1" in str(error.value) and "SECRET" not in str(error.value)
    assert len(server.requests) == 1


def test_a_web_page_is_not_data(server: Server, tmp_path: Path) -> None:
    server.answers["/a.csv"] = [send(b"<html>Sorry</html>", Content_Type="text/html; charset=utf-8")]
    with pytest.raises(ClusterbookError, match="answered with a web page, not with data"):
        fetch.download(f"{server.url}/a.csv", tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


def test_offline_says_what_was_tried_and_where_the_file_belongs(tmp_path: Path, waits: list[float]) -> None:
    target = tmp_path / "a.csv"
    with pytest.raises(ClusterbookError) as error:
        fetch.download("http://127.0.0.1:9/a.csv", target)
    message = str(error.value)
    assert "http://127.0.0.1:9/a.csv could not be fetched" in message and "5 attempts" in message
    assert f"save it as {target}" in message
    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_requests_to_one_host_keep_their_distance(
    server: Server, tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "PAUSE", 1000.0)
    server.answers["*"] = [send(BODY)]
    fetch.download(f"{server.url}/a", tmp_path / "a")
    fetch.download(f"{server.url}/b", tmp_path / "b")
    assert len(waits) == 1 and 900 < waits[0] <= 1000


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTERBOOK_CACHE", str(tmp_path / "mine"))
    assert fetch.cache_folder("cbp") == tmp_path / "mine" / "cbp"
    assert (tmp_path / "mine" / "cbp").is_dir()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLUSTERBOOK_CACHE", str(tmp_path / "file"))
    with pytest.raises(ClusterbookError, match="Set CLUSTERBOOK_CACHE to a writable folder"):
        fetch.cache_folder("cbp")


def packed(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_cut_zip_file_is_named(tmp_path: Path) -> None:
    whole = packed(**{"cbp19co.txt": b"x" * 5000})
    (tmp_path / "cbp19co.zip").write_bytes(whole)
    assert fetch.unpack(tmp_path / "cbp19co.zip").read_bytes() == b"x" * 5000
    (tmp_path / "cut.zip").write_bytes(whole[:300])
    with pytest.raises(ClusterbookError, match=r"cut\.zip: not a whole zip file.*fetch it again"):
        fetch.unpack(tmp_path / "cut.zip")
    (tmp_path / "two.zip").write_bytes(packed(**{"a.csv": b"a", "b.csv": b"b"}))
    with pytest.raises(ClusterbookError, match="2 tables in the zip file where one is expected"):
        fetch.unpack(tmp_path / "two.zip")


# ---- what each source asks its office for ----------------------------------------------------------------------------


def test_cbp_asks_for_bulk_files_and_api(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cbp, "BULK", server.url)
    monkeypatch.setattr(cbp, "API", server.url)
    server.answers["*"] = [send(b"x")]
    assert [p.name for p in cbp.fetch([2015, 2019], area="metro", cache=tmp_path)] == ["cbp15msa.zip", "cbp19msa.zip"]
    assert server.paths() == ["/2015/cbp15msa.zip", "/2019/cbp19msa.zip"]
    (api,) = cbp.fetch_api([2019], area="state", key="K", cache=tmp_path)
    assert api.name == "cbp-2019-state.json"
    assert server.paths()[-1].startswith("/2019/cbp?get=NAME%2CNAICS2017%2CNAICS2017_LABEL%2CESTAB%2CEMP")
    assert server.paths()[-1].endswith("&for=state%3A%2A&key=K")
    with pytest.raises(ClusterbookError, match="read from 2017 on; take the bulk file for 2012"):
        cbp.fetch_api([2012], cache=tmp_path)
    with pytest.raises(ClusterbookError, match="no area 'town'"):
        cbp.fetch([2019], area="town", cache=tmp_path)


def test_qcew_asks_for_slices_or_everything(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qcew, "SLICES", server.url)
    monkeypatch.setattr(qcew, "BULK", server.url)
    server.answers["*"] = [send(b"x")]
    qcew.fetch([2019], areas=["01001"], cache=tmp_path)
    qcew.fetch([2019], industries=["31-33"], cache=tmp_path)
    qcew.fetch([2019], cache=tmp_path)
    assert server.paths() == [
        "/2019/a/area/01001.csv",
        "/2019/a/industry/31_33.csv",
        "/2019/csv/2019_annual_singlefile.zip",
    ]
    with pytest.raises(ClusterbookError, match="not both"):
        qcew.fetch([2019], areas=["01001"], industries=["10"], cache=tmp_path)


def test_eurostat_asks_by_named_filters(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eurostat, "API", server.url)
    server.answers["*"] = [send(b"x")]
    (path,) = eurostat.fetch([2015], cache=tmp_path)
    assert path.name == "sbs_r_nuts06_r2-2015.csv"
    assert server.paths()[0].startswith("/sbs_r_nuts06_r2/1.0?c%5Bindic_sb%5D=V16110&c%5BTIME_PERIOD%5D=2015&")
    with pytest.raises(ClusterbookError, match="'sbs' is not one of those read: sbs_r_nuts06_r2, nama_10r_3empers"):
        eurostat.fetch([2015], dataset="sbs", cache=tmp_path)


def test_nomis_is_asked_page_by_page(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uk, "NOMIS", server.url)
    monkeypatch.setattr(uk, "PAGE", 2)
    server.answers["*"] = [send(b"DATE,RECORD_COUNT\n2022,3\n2022,3\n")]
    paths = uk.fetch([2022], geography="itl2", industry="section", cache=tmp_path)
    assert [p.name for p in paths] == ["bres-2022-itl2-section-0.csv", "bres-2022-itl2-section-2.csv"]
    assert "geography=1837105153...1837105192&industry=150994945...150994965&date=2022" in server.paths()[0]
    assert server.paths()[1].endswith("recordlimit=2&recordoffset=2")


def test_the_other_offices(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uk, "GVA_FILE", f"{server.url}/gva.xlsx")
    monkeypatch.setattr(stats_nz, "BULK", server.url)
    monkeypatch.setattr(abs_census, "API", server.url)
    server.answers["*"] = [send(b"x")]
    uk.fetch([], dataset="gva", cache=tmp_path)
    stats_nz.fetch([2023], cache=tmp_path)
    abs_census.fetch([2021], dataflow="C21_X", cache=tmp_path)
    assert server.paths()[0] == "/gva.xlsx"
    assert server.paths()[1].endswith("statistical-area-2000-2023-descending-order-february-2023.zip")
    assert server.paths()[2] == "/C21_X/all?startPeriod=2021&endPeriod=2021&format=csvfilewithlabels"


def test_bea_unpacks_the_two_tables_it_needs(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["IOMake_After_Redefinitions_2017_Detail .xlsx", "IOUse_After_Redefinitions_PRO_2017_Detail.xlsx"]
    others = ["IOUse_After_Redefinitions_PUR_2017_Detail.xlsx", "IOMake_Before_Redefinitions_2017_Detail.xlsx"]
    monkeypatch.setattr(bea, "ALL_TABLES", f"{server.url}/all.zip")
    monkeypatch.setattr(bea, "IMPORTS", server.url + "/imports_{year}.xlsx")
    server.answers["/all.zip"] = [send(packed(**{n: n.encode() for n in [*names, *others]}))]
    server.answers["/imports_2017.xlsx"] = [send(b"i")]
    make, use, imports = bea.fetch([2017], cache=tmp_path)
    assert make.name == "IOMake_After_Redefinitions_2017_Detail.xlsx" and make.read_bytes() == names[0].encode()
    assert use.read_bytes() == names[1].encode() and imports.read_bytes() == b"i"
    with pytest.raises(ClusterbookError, match="0 make tables of 1999 are in it"):
        bea.fetch([1999], cache=tmp_path)


def test_only_the_web_is_fetched_and_only_beside_the_mapping(tmp_path: Path) -> None:
    with pytest.raises(ClusterbookError, match="only addresses that begin with https"):
        fetch.download("file:///etc/hosts", tmp_path / "hosts")
    (tmp_path / "clusterbook.toml").write_text(
        '[file]\npath = "../x.csv"\nurl = "http://127.0.0.1:9/x"\n[constants]\nyear = 2019\n[source]\ntitle = "T"\n'
        '[columns]\nregion = "r"\nindustry = "i"\n'
    )
    with pytest.raises(ClusterbookError, match=r"\.\./x\.csv lies outside"):
        tidy.fetch(tmp_path)


def test_tidy_fetches_what_its_mapping_names(server: Server, tmp_path: Path) -> None:
    server.answers["/jobs.csv"] = [send(b"r,i,e\nA,1,5\n")]
    mapping = tmp_path / "clusterbook.toml"
    mapping.write_text(
        f'[file]\npath = "jobs.csv"\nurl = "{server.url}/jobs.csv"\n[constants]\nyear = 2019\n'
        '[source]\ntitle = "Jobs"\n'
        '[columns]\nregion = "r"\nindustry = "i"\nemployment = "e"\n'
    )
    assert tidy.read(tidy.fetch(tmp_path)).frame["employment"].to_list() == [5.0]
