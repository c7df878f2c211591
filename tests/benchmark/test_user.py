"""The user's own table and model."""

from __future__ import annotations

import csv
import sys

import numpy as np
import pytest

from skmtl.benchmark import main
from skmtl.benchmark._protocol import log_loss
from skmtl.benchmark._suites import ALL_MODELS
from skmtl.benchmark._user import BadInputError, read_model, read_table

pd = pytest.importorskip("pandas")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "u": rng.normal(size=120),
            "kind": rng.choice(["p", "q"], 120),
            "shop": np.repeat(["a", "b", "c"], 40),
        }
    )
    frame["sales"] = frame["u"] + (frame["shop"] == "c") + 0.1 * rng.normal(size=120)
    frame["open"] = np.where(frame["sales"] > 0, "yes", "no")
    frame.loc[3, "sales"] = np.nan
    frame.to_csv(tmp_path / "shops.csv", index=False)
    frame.to_csv(tmp_path / "semicolons.csv", index=False, sep=";")
    odd = frame.assign(
        same=3.5,
        endless=np.where(frame.index < 2, np.inf, frame["u"]),
        nothing=np.nan,
        day=pd.date_range("2020-01-01", periods=120).astype(str),
        flag=frame["u"] > 0,
        perhaps=(frame["u"] > 0).astype(object).where(frame["kind"] == "p"),
    )
    odd.to_csv(tmp_path / "odd.csv", index=False)
    (tmp_path / "shopmodels.py").write_text(
        "from sklearn.linear_model import LogisticRegression, Ridge\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.compose import make_column_transformer\n"
        "from sklearn.preprocessing import OneHotEncoder\n"
        "from skmtl.baselines import TaskAsFeatureRegressor\n"
        "def ridge():\n"
        "    encoder = make_column_transformer((OneHotEncoder(), ['kind', 'open']), remainder='passthrough')\n"
        "    return TaskAsFeatureRegressor(make_pipeline(encoder, Ridge()), encoding='onehot')\n"
        "def broken():\n"
        "    raise ValueError('no luck')\n"
        "def no_tasks():\n"
        "    return Ridge()\n"
        "def nothing():\n"
        "    return None\n"
        "number = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shopmodels", raising=False)
    return tmp_path


def test_table_of_numbers_and_of_classes(folder):
    table, remarks = read_table(folder / "shops.csv", "shop", "sales", "auto")
    assert remarks == []
    assert (len(table.y), table.n_classes, table.metric) == (119, None, "RMSE")
    assert table.X.columns.tolist() == ["u", "kind", "open"]
    assert str(table.X["kind"].dtype) == "category"
    classes, _ = read_table(folder / "shops.csv", "shop", "open", "auto")
    assert (classes.n_classes, classes.metric) == (2, "log loss")
    assert set(classes.y) == {0, 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("shops.csv", "store", "sales", "auto"), "--task is 'store', which is not a column"),
        (("shops.csv", "shop", "sale", "auto"), "--target is 'sale', which is not .* Did you mean 'sales'"),
        (("shops.csv", "SHOP", "sales", "auto"), "--task is 'SHOP', which is not .* Did you mean 'shop'"),
        (("shops.csv", "zzz", "sales", "auto"), "--task is 'zzz', which is not .* It has 'u', 'kind', 'shop', 'sales'"),
        (("semicolons.csv", "shop", "sales", "auto"), "separated by semicolons; commas are needed"),
        (("shops.csv", "u", "sales", "auto"), "no task has three rows, .* 'u' has 119 different labels in 119 rows"),
        (("odd.csv", "shop", "same", "auto"), "'same' is 3.5 in every row"),
        (("odd.csv", "shop", "endless", "auto"), "'endless' has infinite values, in 2 rows"),
        (("shops.csv", "shop", "shop", "auto"), "are both 'shop'"),
        (("none.csv", "shop", "sales", "auto"), "cannot read"),
        (("shops.csv", "shop", "open", "regression"), "is text, but --problem is regression"),
    ],
)
def test_bad_tables(folder, arguments, message):
    with pytest.raises(BadInputError, match=message):
        read_table(folder / arguments[0], *arguments[1:])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shopmodels", "must be package.module:factory"),
        ("shopmodels:lasso", "cannot be loaded"),
        ("nowhere_at_all:ridge", "cannot be loaded"),
        ("shopmodels:number", "must be a function or a class"),
        ("shopmodels:broken", "cannot be called: ValueError: no luck"),
        ("shopmodels:nothing", "gives no estimator"),
        ("shopmodels:no_tasks", "the `fit` of Ridge takes no `tasks`.*TaskAsFeatureRegressor"),
    ],
)
def test_bad_models(folder, text, message):
    with pytest.raises(BadInputError, match=message):
        read_model(text)


def test_columns_that_no_model_can_use_are_left_out_and_others_are_made_readable(folder):
    table, remarks = read_table(folder / "odd.csv", "shop", "sales", "auto")
    assert table.X.columns.tolist() == ["u", "kind", "open", "same", "endless", "flag", "perhaps"]
    assert remarks == [
        "Column 'nothing' is left out: it has no values.",
        "Column 'day' is left out: its texts differ in nearly every row, so it names the rows.",
    ]
    assert set(table.X["flag"]) == {0, 1}
    assert table.X["perhaps"].cat.categories.tolist() == ["False", "True"]
    assert table.X["perhaps"].isna().any()


def test_what_is_left_out_is_in_the_report(folder, capsys, monkeypatch):
    monkeypatch.setattr("skmtl.benchmark._cli.ALL_MODELS", ("hist_gradient_boosting",))
    table = pd.read_csv(folder / "odd.csv").drop(columns="endless")
    table.to_csv(folder / "odd.csv", index=False)
    assert main(["own", "--data", "odd.csv", "--task", "shop", "--target", "sales", "--seeds", "1"]) == 0
    for text in (capsys.readouterr().out, (folder / "benchmark-own" / "report.html").read_text()):
        assert "left out: it has no values." in text


def test_a_model_that_was_changed_is_fitted_again(folder, monkeypatch):
    before = read_model("shopmodels:ridge").version()
    assert read_model("shopmodels:ridge").version() == before
    with (folder / "shopmodels.py").open("a") as file:
        file.write("# another form\n")
    assert read_model("shopmodels:ridge").version() != before


def test_own_table_and_model_from_the_command_line(folder, capsys):
    pytest.importorskip("lightgbm")
    arguments = ["own", "--data", "shops.csv", "--task", "shop", "--target", "sales", "--model", "shopmodels:ridge"]
    assert main([*arguments, "--seeds", "1"]) == 0
    text = capsys.readouterr().out
    assert "shops: 119 rows, 3 tasks; errors in units of sales" in text
    with (folder / "benchmark-own" / "scores.csv").open(newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert rows["shopmodels:ridge"]["status"] == "ok"
    assert float(rows["shopmodels:ridge"]["error"]) < 0.3
    assert float(rows["rmtgb"]["error"]) > 0.0
    assert len(rows) == len(ALL_MODELS) + 1


def test_a_regressor_is_not_for_classes(folder):
    table, _ = read_table(folder / "shops.csv", "shop", "open", "auto")
    assert read_model("shopmodels:ridge").reason_unsupported(table) == "is for regression"


def test_wrong_arguments_exit_with_2(folder, capsys):
    for arguments, message in (
        (["own"], "the following arguments are required: --data, --task, --target"),
        (["own", "--data", "shops.csv", "--task", "x", "--target", "sales"], "--task is 'x'"),
        (["demo", "--model", "shopmodels"], "--model must be package.module:factory"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        assert message in capsys.readouterr().err


def test_log_loss_by_hand():
    probabilities = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    found = log_loss(np.array([0, 2, 1]), probabilities)
    low = 1e-6
    expected = -np.mean([np.log(0.5 / (1 + low)), np.log(0.5), np.log(low / (1 + 2 * low))])
    assert found == pytest.approx(expected)
