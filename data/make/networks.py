"""The shipped networks: trained with Keras, converted with tf2onnx, checked, written beside their held-out rows.

usage: networks.py [adult-mlp] [mnist-cnn]      (default: all; the environment is requirements-networks.txt)
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
import tf2onnx
from scipy.ndimage import zoom
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import exporting
import sources
from exporting import describe, largest_difference, save_onnx, session

# What the other converters need of it, tf2onnx does not take.
onnx.helper.make_attribute = exporting._make_attribute

DATA = Path(__file__).parents[1]
# Columns without missing values, texts by their position in `pipelines/adult-mlp.toml`.
ADULT = ["age", "education", "marital_status", "relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week"]
EDUCATION = [
    "Preschool", "1st-4th", "5th-6th", "7th-8th", "9th", "10th", "11th", "12th", "HS-grad", "Some-college",
    "Assoc-voc", "Assoc-acdm", "Bachelors", "Masters", "Prof-school", "Doctorate",
]


def adult_mlp() -> None:
    """9-32-16-1 with standardisation inside the first layer; the rows are those that `models.py` holds out."""
    table = sources.adult()
    label = (table["income"] == ">50K").astype(int).to_numpy()
    rows = np.arange(len(table))
    train, held_out = (np.sort(part) for part in train_test_split(rows, test_size=1 / 3, random_state=sources.SEED, stratify=label))
    codes = np.empty((len(table), len(ADULT)), np.float32)
    for at, column in enumerate(ADULT):
        if pd.api.types.is_numeric_dtype(table[column]):
            codes[:, at] = table[column]
        else:
            names = EDUCATION if column == "education" else sorted(table[column].unique())
            codes[:, at] = table[column].map({name: code for code, name in enumerate(names)})
    mean, deviation = codes[train].mean(axis=0), codes[train].std(axis=0)
    network = keras.Sequential([
        keras.Input((len(ADULT),)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ])
    network.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    network.fit((codes[train] - mean) / deviation, label[train], batch_size=256, epochs=8, verbose=0)
    # Standardisation becomes part of the first layer: the file takes raw numbers.
    weights, bias, *others = network.get_weights()
    weights = weights / deviation[:, None]
    network.set_weights([weights, bias - mean @ weights, *others])
    data = _convert(network, (len(ADULT),), "input", DATA / "adult-mlp.onnx")
    scores = session(data).run(None, {"input": codes[held_out]})[0][:, 0]
    print(f"  against Keras {largest_difference(scores, network.predict(codes[held_out], verbose=0)[:, 0]):.1e}")
    print(f"  accuracy {np.mean((scores >= 0.5) == label[held_out]):.4f} on {len(held_out):,} rows")


def mnist_cnn() -> None:
    """Conv2D(8, 3×3) – MaxPooling2D – Dense(32) – Dense(10, softmax) on digits of 28 × 28 pixels, NHWC.

    The digits are scikit-learn's, 8 × 8 pixels in 17 shades, enlarged bilinearly: MNIST's own licence is unclear.
    """
    digits = load_digits()
    pictures = np.stack([zoom(picture, 28 / 8, order=1) for picture in digits.images / 16.0])
    pictures = np.clip(np.rint(pictures * 255), 0, 255).astype(np.uint8)
    rows = np.arange(len(pictures))
    train, held_out = (np.sort(part) for part in train_test_split(rows, test_size=0.5, random_state=sources.SEED, stratify=digits.target))
    x = (pictures / np.float32(255)).astype(np.float32)[..., None]
    network = keras.Sequential([
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(8, (3, 3), activation="relu"),
        keras.layers.MaxPooling2D((2, 2)),
        keras.layers.Flatten(),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(x[train], digits.target[train], batch_size=32, epochs=12, verbose=0)
    data = _convert(network, (28, 28, 1), "image", DATA / "mnist-cnn.onnx")
    scores = session(data).run(None, {"image": x[held_out]})[0]
    print(f"  against Keras {largest_difference(scores, network.predict(x[held_out], verbose=0)):.1e}")
    print(f"  accuracy {np.mean(scores.argmax(axis=1) == digits.target[held_out]):.4f} on {len(held_out):,} rows")
    # How much ink a digit has stands in for a group: thin and bold writing.
    ink = pictures[held_out].reshape(len(held_out), -1).mean(axis=1)
    stroke = np.where(ink < np.median(ink), "thin", "bold")
    table = pa.table({
        "row_id": pa.array(held_out + 1, pa.int64()),
        "pixels": pa.array([picture.ravel().tolist() for picture in pictures[held_out]], pa.list_(pa.uint8())),
        "digit": pa.array(digits.target[held_out], pa.int64()),
        "stroke": pa.array(stroke),
    })
    pq.write_table(table, DATA / "mnist-cnn.parquet", compression="zstd", compression_level=12)


def _convert(network, shape, name: str, path: Path) -> bytes:
    call = tf.function(lambda x: network(x, training=False), input_signature=[tf.TensorSpec([None, *shape], tf.float32, name=name)])
    graph, _ = tf2onnx.convert.from_function(call, input_signature=call.input_signature, opset=17)
    print(describe(path.name, graph))
    return save_onnx(graph, path)


SHIPPED = {"adult-mlp": adult_mlp, "mnist-cnn": mnist_cnn}

if __name__ == "__main__":
    keras.utils.set_random_seed(7)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for name in sys.argv[1:] or SHIPPED:
        SHIPPED[name]()
