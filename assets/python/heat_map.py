"""Draws where an answer looked in a picture: one heat map for each token.

    fovea serve fovea-scenes --attention-folder /tmp/attention &
    python heat_map.py picture.png "What is in the picture?" map.png

Needs the packages openai, safetensors, numpy and matplotlib. The server and this program share the folder.
"""

import base64
import os
import sys

import matplotlib
import numpy as np
from openai import OpenAI
from safetensors.numpy import load_file

matplotlib.use("Agg")
from matplotlib import pyplot


def main(picture, question, output):
    with open(picture, "rb") as file:
        data = base64.b64encode(file.read()).decode()
    client = OpenAI(
        base_url=os.environ.get("FOVEA_URL", "http://localhost:8080") + "/v1",
        api_key=os.environ.get("FOVEA_TOKEN", "none"))
    content = [
        {"type": "image_url", "image_url": {"url": "data:;base64," + data}},
        {"type": "text", "text": question}]
    answer = client.chat.completions.create(
        model=client.models.list().data[0].id, messages=[{"role": "user", "content": content}], logprobs=True,
        max_tokens=24, extra_body={"attention": {"format": "file", "reduce": "mean-heads", "dtype": "f32"}})
    choice = answer.choices[0]
    print(choice.message.content)
    tensors = load_file(choice.attention["file"])
    grid = choice.attention["geometry"]["pictures"][0]
    rows = [row for row in grid["rows"] if not row["overview"]]
    tokens = choice.logprobs.content
    figure, axes = pyplot.subplots(1, len(tokens), figsize=(2 * len(tokens), 2.4), squeeze=False)
    for step, (token, place) in enumerate(zip(tokens, axes[0])):
        weights = np.mean([values[-1] for name, values in tensors.items() if name.startswith(f"step{step}.")], axis=0)
        image = np.stack([weights[row["first_key"]:row["first_key"] + row["count"]] for row in rows])
        place.imshow(image, extent=(0, grid["width"], grid["height"], 0))
        place.set_title(token.token)
        place.axis("off")
    figure.savefig(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
