"""Use deepsparse as old scripts do: `python deepsparse_client.py '[["engine", {...}]]'`.

Runs in the environment of deepsparse 1.8.0. Prints one JSON list, an outcome a call, as its
last line.
"""

import json
import sys

import deepsparse
import numpy


def engine(stub, inputs):
    """Compile a model from its stub and run it on an .npz file of one sample."""
    compiled = deepsparse.compile_model(stub, batch_size=1)
    sample = numpy.load(inputs)
    arrays = [numpy.ascontiguousarray(sample[name][None]) for name in compiled.input_names]
    return [output.tolist() for output in compiled.run(arrays)]


def classify(stub, texts):
    """The label of each text, by a pipeline made from a stub."""
    pipeline = deepsparse.Pipeline.create(
        task="text-classification", model_path=stub, sequence_length=32, batch_size=1
    )
    return [pipeline(sequences=[text]).labels[0] for text in texts]


CALLS = {one.__name__: one for one in (engine, classify)}

if __name__ == "__main__":
    outcomes = [CALLS[name](**arguments) for name, arguments in json.loads(sys.argv[1])]
    print(json.dumps(outcomes))
