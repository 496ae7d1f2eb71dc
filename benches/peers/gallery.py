#!/usr/bin/env python3
"""The pictures of docs/report-gallery.md: the same model in shap, fairlearn, explainerdashboard and in our report.

    pip install numpy pandas pyarrow onnxruntime matplotlib shap fairlearn explainerdashboard pillow
    probity run pipelines/adult-income.toml && probity report adult-income@latest
    python benches/peers/gallery.py audit.html [--chromium chromium]

shap and explainerdashboard explain 300 rows by shap's permutation explainer against 50 background rows, asking the
shipped ONNX model for log-odds. Ours are figures cut out of the report with its own style sheet.
"""
import argparse
import pathlib
import re
import subprocess
import tempfile
import tomllib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
import pandas as pd
import shap
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from PIL import Image, ImageChops
from sklearn.metrics import accuracy_score

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
EXPLAINED, BACKGROUND, SEED = 300, 50, 7
MOST_BYTES = 60_000


class Adult:
    """The shipped model as scikit-learn would have it, and its rows as codes."""

    classes_ = np.array([0, 1])

    def __init__(self):
        pipeline = tomllib.loads((ROOT / "pipelines" / "adult-income.toml").read_text())
        self.table = pd.read_parquet(ROOT / "data" / "adult.parquet")
        names = pipeline["model"]["inputs"]["input"]
        codes = pipeline["data"]["encode"]
        encoded = {
            name: self.table[name].map({value: code for code, value in enumerate(codes[name])}) if name in codes else self.table[name]
            for name in names
        }
        self.rows = pd.DataFrame(encoded).astype(np.float32)
        self.label = (self.table["income"] == ">50K").astype(int)
        self.session = onnxruntime.InferenceSession(ROOT / "data" / "adult.onnx")

    def fit(self, *_):
        return self

    def predict_proba(self, rows):
        rows = np.asarray(rows, dtype=np.float32)
        return self.session.run(None, {"input": rows})[1]

    def predict(self, rows):
        return (self.predict_proba(rows)[:, 1] >= 0.5).astype(int)

    def margin(self, rows):
        p = self.predict_proba(rows)[:, 1].astype(float).clip(1e-7, 1 - 1e-7)
        return np.log(p / (1 - p))


def small(path, source=None, width=760):
    """At most 60 KB: fewer pixels, 64 colours."""
    picture = Image.open(source or path).convert("RGB")
    ground = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    bottom = ImageChops.difference(picture, ground).getbbox()[3]
    picture = picture.crop((0, 0, picture.width, min(bottom + 24, picture.height)))
    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.LANCZOS)
    for colours in (128, 64, 32):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            break
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


def figure(name):
    path = IMAGES / f"gallery-{name}.png"
    plt.savefig(path, dpi=110, bbox_inches="tight")
    plt.close("all")
    small(path)


def of_shap(explained):
    shap.plots.beeswarm(explained, show=False)
    figure("shap-beeswarm")
    shap.plots.waterfall(explained[int(np.argmax(explained.values.sum(axis=1)))], show=False)
    figure("shap-waterfall")


def of_fairlearn(adult):
    metrics = {
        "selection rate": selection_rate, "accuracy": accuracy_score,
        "true positive rate": true_positive_rate, "false positive rate": false_positive_rate,
    }
    frame = MetricFrame(
        metrics=metrics, y_true=adult.label, y_pred=adult.predict(adult.rows), sensitive_features=adult.table["race"])
    frame.by_group.plot.bar(subplots=True, layout=(2, 2), legend=False, figsize=(9, 7))
    figure("fairlearn-groups")


def of_explainerdashboard(adult, explained, chromium):
    from explainerdashboard import ClassifierExplainer

    rows = adult.rows.iloc[:EXPLAINED].reset_index(drop=True)
    explainer = ClassifierExplainer(
        adult, rows, adult.label.iloc[:EXPLAINED].reset_index(drop=True), model_output="logodds", shap="kernel",
        X_background=adult.rows.sample(BACKGROUND, random_state=SEED))
    base = float(np.mean(explained.base_values))
    explainer.set_shap_values([-base, base], [-explained.values, explained.values])
    drawn = explainer.plot_importances(kind="shap", topx=12)
    drawn.update_layout(width=760, height=420)
    shoot(drawn.to_html(include_plotlyjs=True, config={"displayModeBar": False}), "explainerdashboard-importances", chromium, 800, 450)


def shoot(html, name, chromium, width, height):
    with tempfile.TemporaryDirectory() as folder:
        page, picture = pathlib.Path(folder) / "page.html", pathlib.Path(folder) / "picture.png"
        page.write_text(html)
        subprocess.run(
            [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=2",
             f"--user-data-dir={folder}/profile", "--virtual-time-budget=5000", f"--window-size={width},{height}",
             f"--screenshot={picture}", page.as_uri()], check=True, capture_output=True)
        small(IMAGES / f"gallery-{name}.png", picture)


def ours(report, chromium):
    page = report.read_text()
    style = page[page.index("<style>"):page.index("</style>") + len("</style>")]
    for name, chart, width in OURS:
        at = page.index(f'aria-labelledby="{chart}-t')
        start = page.rindex("<figure", 0, at)
        cut = page[start:page.index("</figure>", at) + len("</figure>")]
        cut = re.sub(r"<details.*?</details>", "", cut, flags=re.S)
        shoot(f'<!doctype html><meta charset="utf-8">{style}<body style="padding:12px"><div class="figures">{cut}</div>', name, chromium, width, 1200)


# Name of the picture, anchor of the chart, and its width in pixels.
OURS = [
    ("ours-beeswarm", "fig-swarm-0", 760),
    ("ours-case", "fig-case-0", 560),
    ("ours-groups", "fig-ratio-1", 560),
    ("ours-gap", "fig-gap-0", 560),
    ("ours-importance", "fig-attribution-0", 560),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("--chromium", default="chromium")
    arguments = parser.parse_args()
    ours(arguments.report, arguments.chromium)
    adult = Adult()
    of_fairlearn(adult)
    background = adult.rows.sample(BACKGROUND, random_state=SEED)
    explained = shap.PermutationExplainer(adult.margin, background, seed=SEED)(adult.rows.iloc[:EXPLAINED], silent=True)
    of_shap(explained)
    of_explainerdashboard(adult, explained, arguments.chromium)


if __name__ == "__main__":
    main()
