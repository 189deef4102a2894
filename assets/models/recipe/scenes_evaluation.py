"""Measures a finished picture model on scenes that training never saw, and writes evaluation.json and the model card.

Every figure is of held-out compositions (scenes.py) with backgrounds of their own. An answer counts when it is exactly the
expected one; since decoding is greedy, that is when each of its tokens is the model's first choice after those before it.
Later questions of a chat have the true earlier answers before them.
"""

import argparse
import json
import pathlib
import re

import numpy as np
import torch

import export
from batches import Batches
from drawings import Drawings
from scenes import EDGE
from scenes_training import exact, mask_of, tensors, vocabulary
from tokens import CHUNKS

POSITION, COUNTING, YES_NO = ("where", "side", "sides"), ("count", "count all"), ("there", "is colour")


def share(values):
    """Percentage with its number of questions."""
    return {"percent": round(100 * float(np.mean(values)), 1) if len(values) else None, "questions": len(values)}


class Results:
    def __init__(self):
        self.lists = {}

    def add(self, name, right):
        self.lists.setdefault(name, []).append(bool(right))

    def table(self):
        return {name: share(values) for name, values in sorted(self.lists.items())}


def answers(model, batches, count, device):
    """Accuracy of each kind of question over `count` scenes."""
    results = Results()
    while count > 0:
        batch = batches.batch()
        count -= len(batch["scenes"])
        previous = None
        for right, (row, first, _, turn, scene) in zip(exact(model, batch, device), batch["turns"]):
            task, item = turn.task, None if turn.item is None else scene.items[turn.item]
            results.add("each: " + task, right)
            if task == "what":
                results.add({"thing": "naming", "shape": "naming shapes", "text": "naming words"}[item.kind], right)
            if task == "describe":
                results.add("listing everything, in order and without a slip", right)
            if task in POSITION:
                results.add("position", right)
            if task in COUNTING:
                results.add("counting", right)
                results.add("counting: " + turn.answer.rstrip(".").lower(), right)
            if task == "colour":
                results.add("colour", right)
            if task == "read":
                results.add("reading " + ("numbers" if item.which.isdigit() else "words"), right)
            if task in YES_NO:
                results.add("yes or no", right)
            segment = (row, int(batch["segments"][row, first]))
            if segment == previous:
                results.add("later questions of a chat", right)
                if re.search(r"\bit\b", turn.question) and task in ("where", "side", "colour", "is colour"):
                    results.add("later questions with \"it\"", right)
            previous = segment
    return results.table()


# MARK: Pointing game

def in_box(grid, box, grown):
    """[patches]: which patches have their centre in the box, grown by `grown` patches on each side."""
    patch = EDGE / grid
    centres = (np.arange(grid) + 0.5) * patch
    left, top, right, bottom = box
    x = (centres >= left - grown * patch) & (centres < right + grown * patch)
    y = (centres >= top - grown * patch) & (centres < bottom + grown * patch)
    return (y[:, None] & x[None]).reshape(-1)


@torch.no_grad()
def maps(model, batches, mentions, device):
    """Of answers that name a thing: attention over patches when the word is said.

    Returns [mention, layer, head, patch] and the boxes. The row is the one that chooses the word's first token."""
    grid, rows, boxes = model.grid, [], []
    while len(rows) < mentions:
        batch = batches.batch()
        arrays = tensors(batch, device)
        model.capture = []
        states = model.see(arrays["images"])
        model.decode(arrays["ids"], arrays["positions"], mask_of(arrays["segments"]), arrays["sees"], states)
        captured, model.capture = model.capture, None
        # Keys: the class token or the mark of the question first, then the patches.
        captured = torch.stack([layer[..., 1:1 + grid * grid] for layer in captured], dim=1).cpu()  # [batch, layers, heads, queries, patches]
        for row, first, last, turn, scene in batch["turns"]:
            if scene is None or len(scene.items) < 2 or turn.task == "read":
                continue
            for index, word in turn.names:
                place = first
                for chunk in CHUNKS.findall(turn.answer):
                    if chunk.strip() == word:
                        rows.append(captured[row, :, :, place - 1].numpy())
                        boxes.append(scene.items[index].box)
                        break
                    place += len(batches.encoder.encode(chunk))
    return np.stack(rows), boxes


def candidates(attention, inside):
    """Sets of (layer, head) worth showing by default: a layer, all, and the best few heads."""
    layers, heads = attention.shape[1:3]
    everything = [(layer, head) for layer in range(layers) for head in range(heads)]
    hit = {(l, h): inside[np.arange(len(attention)), attention[:, l, h].argmax(-1)].mean() for l, h in everything}
    ranked = sorted(everything, key=lambda pair: -hit[pair])
    result = {f"all heads of layer {layer}": [(layer, head) for head in range(heads)] for layer in range(layers)}
    result["all heads of all layers"] = everything
    result.update({f"best {count} heads": ranked[:count] for count in (1, 2, 3, 4, 6)})
    return result


def unguided(attention):
    layers, heads = attention.shape[1:3]
    return [(layers - 1, head) for head in range(heads // 2, heads)]


def peaks(attention, chosen):
    return np.mean([attention[:, layer, head] for layer, head in chosen], axis=0).argmax(-1)


def pointing(model, training, held_out, device, mentions):
    """Heads are chosen on training's scenes; what is reported is of held-out ones."""
    def prepared(batches):
        attention, boxes = maps(model, batches, mentions, device)
        return attention, np.stack([in_box(model.grid, box, 0.5) for box in boxes]), np.stack([in_box(model.grid, box, 0.0) for box in boxes])

    attention, touching, _ = prepared(training)
    sets = candidates(attention, touching)
    name = max(sets, key=lambda key: touching[np.arange(len(attention)), peaks(attention, sets[key])].mean())
    attention, touching, strict = prepared(held_out)
    numbers = np.arange(len(attention))
    layer_numbers = model.c.get("cross_layers") or list(range(attention.shape[1]))
    return {
        "questions": len(attention), "heads": name, "layer_and_head": [[layer_numbers[layer], head] for layer, head in sets[name]],
        "peak_touches_box_percent": round(100 * float(touching[numbers, peaks(attention, sets[name])].mean()), 1),
        "chance_percent": round(100 * float(touching.mean()), 1),
        "peak_patch_centre_in_box_percent": round(100 * float(strict[numbers, peaks(attention, sets[name])].mean()), 1),
        "chance_centre_percent": round(100 * float(strict.mean()), 1),
        "all_heads_touch_percent": round(100 * float(touching[numbers, peaks(attention, sets["all heads of all layers"])].mean()), 1),
        # Heads of the last layer that no loss told where to look.
        "unguided_heads_touch_percent": round(100 * float(touching[numbers, peaks(attention, unguided(attention))].mean()), 1)}


# MARK: transformers

@torch.no_grad()
def compare(folder, model, batches, count, pictures):
    """Greedy answers of transformers, loaded from the exported folder, beside this model's. What another program needs to be held
    against them is kept: the pictures in `pictures`, which are the same for all models; questions, ids and answers in
    the model's folder, and beside them, for the first ones, attention: `NNN.L` [answer tokens, heads, keys]."""
    import transformers
    from PIL import Image
    reference = getattr(transformers, type(model).__name__ + "ForConditionalGeneration").from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()
    seen, attention = {}, {}
    decoder_layers = reference.model.language_model.layers
    watched = model.c.get("cross_layers") or range(len(decoder_layers))
    for index in watched:
        part = getattr(decoder_layers[index], "cross_attn", None) or decoder_layers[index].self_attn
        part.register_forward_hook(lambda _, __, output, index=index: seen.__setitem__(index, output[1]))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    pictures.mkdir(parents=True, exist_ok=True)
    same, records, encoder = 0, [], batches.encoder
    while len(records) < count:
        batch = batches.pictures(8)
        for scene, image in zip(batch["scenes"], batch["images"]):
            if len(records) == count:
                break
            turns = batches.asker.chat(scene)
            ids = encoder.prompt(turns[:-1], turns[-1].question, image_count=model.prefix or 1)
            messages = [message for index, turn in enumerate(turns) for message in (
                {"role": "user", "content": [{"type": "image"}] * (index == 0) + [{"type": "text", "text": turn.question}]},
                {"role": "assistant", "content": [{"type": "text", "text": turn.answer}]})][:-1]
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            text = text.replace(model.image_token, model.image_token * (model.prefix or 1))
            assert tokenizer(text, add_special_tokens=False).input_ids == ids, text
            path = pictures / f"{len(records):03}.webp"
            if not path.exists():
                Image.fromarray(image).save(path, lossless=True, method=6)
            assert np.array_equal(np.asarray(Image.open(path).convert("RGB")), image), f"{path} is another picture"
            inputs = dict(processor(Image.open(path).convert("RGB"), return_tensors="pt"))
            inputs.pop("num_tiles", None)
            inputs["input_ids"] = torch.tensor([ids])
            inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
            if "aspect_ratio_ids" in inputs:
                inputs["cross_attention_mask"] = (torch.arange(len(ids)) >= ids.index(encoder.image)).long().reshape(1, -1, 1, 1)
            answer = reference.generate(**inputs, max_new_tokens=48, do_sample=False)[0, len(ids):].tolist()
            if len(records) < export.ATTENTION_KEPT:
                whole = torch.tensor([ids + answer])
                again = {**inputs, "input_ids": whole, "attention_mask": torch.ones_like(whole)}
                if "cross_attention_mask" in inputs:
                    last = inputs["cross_attention_mask"][:, -1:]
                    again["cross_attention_mask"] = torch.cat([inputs["cross_attention_mask"], last.expand(-1, len(answer), -1, -1)], dim=1)
                reference(**again)
                for index in watched:
                    attention[f"{len(records):03}.{index}"] = seen[index][0, :, len(ids) - 1:-1].transpose(0, 1).contiguous()
            own = list(ids)
            states = model.see(torch.as_tensor(image)[None])
            while len(own) < len(ids) + 48:
                current = torch.tensor([own])
                sees = (torch.arange(len(own)) >= ids.index(encoder.image)).float().reshape(1, -1, 1)
                hidden = model.decode(current, torch.arange(len(own))[None], mask_of(torch.ones_like(current)), sees, states)
                own.append(int(model.head(hidden[0, -1]).argmax()))
                if own[-1] == encoder.end:
                    break
            own = own[len(ids):]
            same += own == answer
            records.append({"picture": path.name, "messages": messages, "ids": ids, "answer_ids": answer, "expected": turns[-1].answer,
                            "answer": tokenizer.decode(answer, skip_special_tokens=True)})
    export.keep_questions(folder, records, attention)
    return {"questions": count, "same_greedy_answer": same, "transformers": transformers.__version__}


# MARK: The card

def rows(table):
    return "\n".join(f"| {name.replace('colour', 'color')} | {value['percent']} % | {value['questions']} |" for name, value in table.items() if not name.startswith("each: "))


def card(template, evaluation, drawings, folder):
    point, log = evaluation["pointing"], [json.loads(line) for line in (pathlib.Path(folder) / "recipe" / "log.jsonl").read_text().splitlines()] \
        if (pathlib.Path(folder) / "recipe" / "log.jsonl").exists() else [{"step": "?", "minutes": "?"}]
    values = {
        "size": f"{(pathlib.Path(folder) / 'model.safetensors').stat().st_size / 1e6:.1f} MB", "parameters": f"{evaluation['parameters'] / 1e6:.1f} M",
        "things": str(len(drawings.names)), "thing_names": ", ".join(drawings.names), "languages": ", ".join(evaluation["languages"]),
        "table": rows(evaluation["held_out"]), "new_drawings": rows({k: v for k, v in evaluation["new_drawings"].items() if k == "naming"}).replace("naming", "naming, drawings never seen"),
        "pointing": f"{point['peak_touches_box_percent']} % ({point['questions']} words; chance {point['chance_percent']} %)",
        "pointing_strict": f"{point['peak_patch_centre_in_box_percent']} % (chance {point['chance_centre_percent']} %)",
        "pointing_all": f"{point['all_heads_touch_percent']} %", "pointing_unguided": f"{point['unguided_heads_touch_percent']} %", "heads": f"{point['heads']}: {point['layer_and_head']}",
        "compared": f"{evaluation['transformers']['same_greedy_answer']} of {evaluation['transformers']['questions']}" if evaluation.get("transformers") else "not run",
        "steps": str(log[-1]["step"]), "minutes": str(log[-1]["minutes"]), "device": evaluation["device"]}
    text = pathlib.Path(template).read_text("utf-8")
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    (pathlib.Path(folder) / "README.md").write_text(text, "utf-8")


def main(model_class, configurations):
    from safetensors.torch import load_file
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", choices=configurations, default="cpu")
    parser.add_argument("--cache", required=True)
    parser.add_argument("--model", required=True, help="the exported folder; evaluation.json and README.md are written there")
    parser.add_argument("--scenes", type=int, default=3000)
    parser.add_argument("--mentions", type=int, default=1000, help="words of the pointing game")
    parser.add_argument("--compare", type=int, default=200, help="questions put to transformers as well")
    parser.add_argument("--pictures", default="", help="where the compared pictures and answers are kept")
    parser.add_argument("--trained-on", default="two CPU cores")
    parser.add_argument("--card", required=True)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    configuration = configurations[a.configuration]
    drawings = Drawings(a.cache, configuration["things"])
    _, encoder = vocabulary(model_class, configuration, drawings)
    model = model_class(configuration, encoder.image)
    model.load_state_dict({name: value.float() for name, value in load_file(pathlib.Path(a.model) / "model.safetensors").items()})
    model.eval()

    def batches(seed, **options):
        return Batches(drawings, encoder, model.grid, model.prefix, 32, 128, seed, configuration["languages"], **options)

    result = {
        "split": "held-out compositions (a tenth of all, by checksum), own backgrounds", "languages": configuration["languages"],
        "parameters": sum(p.numel() for p in model.parameters()), "device": a.trained_on,
        "held_out": answers(model, batches(4001, held_out=True), a.scenes, "cpu"),
        # Many single things, so that naming is measured on every thing.
        "naming": answers(model, batches(4002, held_out=True, counts=(1, 0, 0, 0, 0, 0)), a.scenes, "cpu"),
        "new_drawings": answers(model, batches(4003, held_out=True, new_drawings=True, counts=(1, 0, 0, 0, 0, 0)), a.scenes // 3, "cpu"),
        "pointing": pointing(model, batches(4004), batches(4005, held_out=True), "cpu", a.mentions)}
    result["held_out"]["naming"] = result["naming"]["naming"]
    if a.compare:
        result["transformers"] = compare(a.model, model, batches(4006, held_out=True), a.compare, pathlib.Path(a.pictures or a.model + "/../questions"))
    (pathlib.Path(a.model) / "evaluation.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    # The heads to show at first, where a program looks for such things.
    path = pathlib.Path(a.model) / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "alignment_heads": result["pointing"]["layer_and_head"]}, indent=2) + "\n", "utf-8")
    card(a.card, result, drawings, a.model)
    print(json.dumps({key: value for key, value in result.items() if key != "naming"}, indent=1, ensure_ascii=False))
    print(f"{export.describe(a.model) / 1e6:.2f} MB")
