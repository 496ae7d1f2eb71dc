"""Occlusion maps of captum, of a function that tests can compute again.

Writes tests/golden/occlusion.json. Needs torch and captum.
"""

import json
import pathlib

import captum
import torch
from captum.attr import Occlusion

CHANNELS, HEIGHT, WIDTH = 2, 5, 6
N = CHANNELS * HEIGHT * WIDTH


def numbers(step):
    """Numbers between -1 and 1 that anyone can make again: exact in double precision."""
    return torch.tensor([((at * step) % 17 - 8) / 8 for at in range(N)], dtype=torch.float64)


def score(x):
    flat = x.reshape(len(x), -1)
    return flat @ numbers(5) + (flat @ numbers(3)) ** 2


picture = numbers(7).reshape(1, CHANNELS, HEIGHT, WIDTH)
baseline = numbers(11).reshape(1, CHANNELS, HEIGHT, WIDTH)
cases = []
for window, stride in [((1, 1), (1, 1)), ((2, 3), (1, 2)), ((2, 2), (2, 2)), ((4, 4), (3, 2)), ((5, 6), (1, 1))]:
    found = Occlusion(score).attribute(
        picture,
        sliding_window_shapes=(CHANNELS, *window),
        strides=(CHANNELS, *stride),
        baselines=baseline,
    )
    # Every channel of a pixel has the change of the windows that cover the pixel.
    assert torch.equal(found[0, 0], found[0, 1])
    cases.append({"window": window, "stride": stride, "map": found[0, 0].flatten().tolist()})

golden = {"made_with": f"captum {captum.__version__}, torch {torch.__version__}", "cases": cases}
target = pathlib.Path(__file__).parents[2] / "tests" / "golden" / "occlusion.json"
target.write_text(json.dumps(golden, indent=1) + "\n")
