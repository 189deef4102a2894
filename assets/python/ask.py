"""Asks a model of `fovea serve` with the stock client of OpenAI and prints where each token looked.

    fovea serve fovea-fra-eng &
    python ask.py "Le chat est petit."

Needs the package openai. FOVEA_URL and FOVEA_TOKEN name another server and its token.
"""

import os
import sys

from openai import OpenAI


def main(text):
    client = OpenAI(
        base_url=os.environ.get("FOVEA_URL", "http://localhost:8080") + "/v1",
        api_key=os.environ.get("FOVEA_TOKEN", "none"))
    stream = client.chat.completions.create(
        model=client.models.list().data[0].id, messages=[{"role": "user", "content": text}], stream=True, logprobs=True,
        extra_body={"attention": {"reduce": "mean-heads", "k": 1}})
    source = []
    for chunk in stream:
        choice = chunk.choices[0]
        attention = getattr(choice, "attention", None) or {}
        source = (attention.get("geometry") or {}).get("source", source)
        for step in attention.get("steps") or []:
            # The last layer; a model without a picture to attend to has none.
            for layer in step["layers"][-1:]:
                key = layer["keys"][0]
                place = source[key]["text"] if key < len(source) else f"key {key}"
                print(f"{choice.logprobs.content[0].token:>12}  {layer['weights'][0]:.2f}  {place}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Le chat est petit.")
