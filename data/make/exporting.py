"""From fitted models to ONNX files, and a check that the file says what the model says."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq

# Operator sets that the converters and ONNX Runtime both know well.
OPSET = {"": 17, "ai.onnx.ml": 3}

_make_attribute = onnx.helper.make_attribute


def _plain_attribute(key, value, *args, **kwargs):
    """skl2onnx 1.20 hands numpy numbers of newer scikit-learn trees to onnx, which takes Python numbers only."""
    if isinstance(value, (list, tuple)):
        value = [item.item() if isinstance(item, np.generic) else item for item in value]
        value = [int(item) if isinstance(item, bool) else item for item in value]
        if any(isinstance(item, float) for item in value):
            value = [float(item) for item in value]
    return _make_attribute(key, value, *args, **kwargs)


onnx.helper.make_attribute = _plain_attribute


def session(model: bytes) -> ort.InferenceSession:
    """One thread: the same sums in the same order on every machine with the same instruction set."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def save_onnx(model: onnx.ModelProto, path: Path) -> bytes:
    """Writes the model under its file's name: converters put random or dated names into the graph."""
    model.graph.name = path.stem
    onnx.checker.check_model(model)
    data = model.SerializeToString(deterministic=True)
    path.write_bytes(data)
    return data


def save_table(table, path: Path) -> None:
    """A Parquet file without pandas' metadata."""
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, path, compression="zstd", compression_level=12)


def largest_difference(ours, theirs) -> float:
    return float(np.abs(np.asarray(ours, float) - np.asarray(theirs, float)).max())


def describe(name: str, model: onnx.ModelProto) -> str:
    """One line: inputs, operators in graph order, outputs."""
    operators = " → ".join(node.op_type for node in model.graph.node)
    inputs = ", ".join(_value(value) for value in model.graph.input)
    outputs = ", ".join(_value(value) for value in model.graph.output)
    return f"{name}: ({inputs}) → [{operators}] → ({outputs})"


def _value(value) -> str:
    if not value.type.HasField("tensor_type"):
        return f"{value.name}: {value.type.WhichOneof('value')}"
    tensor = value.type.tensor_type
    shape = [str(dim.dim_value) if dim.HasField("dim_value") else "N" for dim in tensor.shape.dim]
    return f"{value.name}: {onnx.TensorProto.DataType.Name(tensor.elem_type).lower()}[{','.join(shape)}]"
