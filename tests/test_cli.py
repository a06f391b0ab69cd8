import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

COMMAND = [sys.executable, "-m", "clusterbook"]


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory) -> Path:
    from conftest import make_panel

    folder = tmp_path_factory.mktemp("own")
    frame = make_panel().frame.drop("status")
    frame.write_csv(folder / "jobs.csv")
    codes = frame["industry"].unique().sort()
    lines = ["industry,cluster,label,kind"]
    lines += [f"{c},c{c[0]},Sector {c[0]},{'local' if c[0] == '4' else 'traded'}" for c in codes]
    (folder / "clusters.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_build_and_inspect_own_data_with_own_definitions(jobs):
    built = run("build", "jobs.csv", "-d", "clusters.csv", "--out", "ours", "--title", "Our towns", cwd=jobs)
    assert built.returncode == 0, built.stderr
    assert json.loads((jobs / "ours" / "manifest.json").read_text())["title"] == "Our towns"
    assert "Clusters in regions ..." in built.stderr  # progress
    seen = run("inspect", "ours", cwd=jobs)
    assert seen.returncode == 0
    assert "Our towns" in seen.stdout
    assert "All files are whole and unchanged." in seen.stdout


def test_inspect_a_data_file(jobs):
    seen = run("inspect", "jobs.csv", cwd=jobs)
    assert seen.returncode == 0, seen.stderr
    assert "768 cells, no problem found" in seen.stdout
    assert "24 regions, 16 industries" in seen.stdout


def test_atlas_from_own_data_and_from_an_edition(jobs):
    made = run("atlas", "jobs.csv", "-d", "clusters.csv", "--out", "site", cwd=jobs)
    assert made.returncode == 0, made.stderr
    assert (jobs / "site" / "index.html").is_file()
    assert (jobs / "site.edition" / "manifest.json").is_file()
    again = run("atlas", "site.edition", "--out", "second", cwd=jobs)
    assert again.returncode == 0, again.stderr
    assert (jobs / "second" / "index.html").read_bytes() == (jobs / "site" / "index.html").read_bytes()


def test_faults_are_one_message_and_exit_code_1(jobs):
    missing = run("build", "nowhere.csv", cwd=jobs)
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr
    assert (
        "neither a file, nor a panel or edition folder, nor a bundled sample (us_metros, us_counties" in missing.stderr
    )
    (jobs / "bad.csv").write_text("region,industry,year,employment\nA,11,2019,many\nA,11,2019,-3\n")
    bad = run("build", "bad.csv", cwd=jobs)
    assert bad.returncode == 1
    assert "line 2, column 'employment', value 'many'" in bad.stderr
    assert "negative" in bad.stderr


def test_read_a_source_and_build_from_its_panel(tmp_path):
    recorded = Path(__file__).parent / "recorded" / "cbp19co.txt"
    made = run("read", "cbp", str(recorded), "--set", "digits=6", "--out", "counties.panel", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "no problem found" in made.stdout
    again = run("inspect", "counties.panel", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    wrong = run("read", "cbp", str(recorded), "--set", "digit=6", cwd=tmp_path)
    assert wrong.returncode == 1
    assert "expected NAME=VALUE with one of the names digits, year" in wrong.stderr
    assert "Sources: abs_census, cbp" in run("read", "cpb", str(recorded), cwd=tmp_path).stderr


def test_protect_hides_and_proves_it(tmp_path):
    from conftest import make_panel

    panel = make_panel(regions=14, years=(2019,))
    frame = panel.frame.drop("status", "payroll")
    small = frame.with_columns(
        pl.when(pl.col("employment") < 60).then(2.0).otherwise("establishments").alias("establishments")
    )
    small.write_csv(tmp_path / "secret.csv")
    done = run("protect", "secret.csv", "--out", "safe.panel", "--public", "establishments", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no leak found" in done.stdout
    from clusterbook.data.store import open_panel

    safe = open_panel(tmp_path / "safe.panel").frame
    confidential = small.filter(establishments=2.0).select("region", "industry")
    assert confidential.height > 10
    shown = safe.join(confidential, on=["region", "industry"]).filter(pl.col("employment").is_not_null())
    assert shown.is_empty()
    made = run("build", "safe.panel", "-d", "safe.panel.definitions.csv", "--out", "safe.edition", cwd=tmp_path)
    assert made.returncode == 0, made.stderr


def test_options_of_samples_are_checked(tmp_path):
    wrong = run("build", "us_counties", "--impute", cwd=tmp_path)
    assert wrong.returncode == 1
    assert "The sample us_counties has no option --impute." in wrong.stderr
    (tmp_path / "jobs.csv").write_text("region,industry,year,employment\nA,11,2019,3\n")
    assert "options of bundled samples" in run("build", "jobs.csv", "--level", "3", cwd=tmp_path).stderr


def test_wrong_usage_is_exit_code_2():
    assert run("atlas", "--no-such-option").returncode == 2


@pytest.mark.parametrize("verb", ["atlas", "build", "fetch", "inspect", "protect", "read", "samples", "version"])
def test_every_verb_explains_itself(verb):
    shown = run(verb, "--help")
    assert shown.returncode == 0
    assert "Usage" in shown.stdout


def test_help_shows_examples():
    assert "clusterbook atlas jobs.csv -d clusters.csv" in run("atlas", "--help").stdout


def test_version_and_samples():
    import clusterbook as cb

    assert run("version").stdout.strip() == f"clusterbook {cb.__version__}"
    assert "us_metros" in run("samples").stdout


def test_import_is_light():
    code = "import sys, clusterbook; print([m for m in ('polars', 'numpy', 'altair', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_imported():
    import clusterbook as cb

    modules = {"plot", "samples"}
    for name in cb.__all__:
        assert isinstance(getattr(cb, name), ModuleType) == (name in modules), name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = cb.nonsense


def test_definitions_are_discovered_scored_edited_and_compared(jobs):
    found = run(
        "definitions", "discover", "jobs.csv", "--least", "3", "--most", "3", "--samples", "3", "-o", "set", cwd=jobs
    )
    assert found.returncode == 0, found.stderr
    assert "stability: mean adjusted Rand index over samples" in found.stdout
    scored = run("definitions", "score", "set", "jobs.csv", cwd=jobs)
    assert scored.returncode == 0, scored.stderr
    assert "Mean over observed sides: 1.000" in scored.stdout
    (jobs / "edits.csv").write_text("cluster,label,reason\nt01,Steel,as people call it\n")
    edited = run("definitions", "edit", "set", "edits.csv", "-o", "named", "--on", "jobs.csv", cwd=jobs)
    assert edited.returncode == 0, edited.stderr
    assert "(1 edits in all)" in edited.stdout
    assert "Steel" in run("definitions", "show", "named", cwd=jobs).stdout
    compared = run("definitions", "compare", "set", "named", cwd=jobs)
    assert "Adjusted Rand index 1.000" in compared.stdout
    missing = run("definitions", "show", "nowhere", cwd=jobs)
    assert missing.returncode == 1
    assert "Error" in missing.stderr


def test_what_people_recorded_goes_into_the_edition(jobs):
    import clusterbook as cb

    (jobs / "facts.csv").write_text("region,cluster,fact,value,year,source\nR01,c1,trust,3,2019,interviews\n")
    built = run("build", "jobs.csv", "-d", "clusters.csv", "-o", "known", "--record", "facts=facts.csv", cwd=jobs)
    assert built.returncode == 0, built.stderr
    facts = cb.open_edition(jobs / "known").table("facts").filter(source="interviews")
    assert facts["fact"].to_list() == ["trust"]
    wrong = run("build", "jobs.csv", "-o", "known", "--record", "rumours=x.csv", cwd=jobs)
    assert wrong.returncode == 1
    assert "expected KIND=FILE" in wrong.stderr


def test_bundled_definitions_are_shown():
    shown = run("definitions", "show")
    assert shown.returncode == 0, shown.stderr
    assert "Automotive" in shown.stdout


def test_knowledge_is_checked_asked_and_shown():
    checked = run("knowledge", "check")
    assert checked.returncode == 0, checked.stderr
    assert "Problems: 0" in checked.stdout
    asked = run("knowledge", "ask", "instruments for missing demanding customers that a municipality can act on")
    assert "level = local" in asked.stdout
    assert "public-procurement" in asked.stdout
    shown = run("knowledge", "show", "instruments/cluster-broker")
    assert "Source: " in shown.stdout
    wrong = run("knowledge", "search", "x", "--where", "level")
    assert wrong.returncode == 1
    assert "expected NAME=VALUE" in wrong.stderr
    unsound = run("knowledge", "show", "instruments/nonsense")
    assert unsound.returncode == 1
    assert "Traceback" not in unsound.stderr
