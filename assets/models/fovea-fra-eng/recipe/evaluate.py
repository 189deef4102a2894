"""Evaluates fovea-fra-eng on 2,000 held-out pairs: python3 evaluate.py --cache CACHE --model OUT (see ../../recipe/README.md)"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parents[1] / "recipe"))

import torch  # noqa: E402

import export  # noqa: E402
from model import CONFIGURATIONS, T5, beam, greedy  # noqa: E402
from train import padded, shifted  # noqa: E402


def translated(model, processor, sentences, search, size=50):
    """Translations in the sentences' order; sentences of similar length are searched together."""
    ids = [processor.encode(sentence) + [1] for sentence in sentences]
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    result = [""] * len(ids)
    for first in range(0, len(order), size):
        part = order[first:first + size]
        for index, answer in zip(part, search(model, padded([ids[i] for i in part]))):
            result[index] = processor.decode(answer)
    return result


@torch.no_grad()
def alignment(model, processor, french, english):
    """[(English word, French word it looks at most)]: mean cross-attention of all heads, summed over the pieces of a word.

    The row is the one that chooses a piece; the end of the sentence, where idle heads rest, is left out."""
    source_pieces, target_pieces = processor.encode(french, out_type=str), processor.encode(english, out_type=str)
    source, target = padded([processor.encode(french) + [1]]), padded([processor.encode(english) + [1]])
    captured = []
    states, keep = model.encode(source)
    model.decode(shifted(target), states, keep, captured)
    weights = torch.stack(captured).mean((0, 2))[0][:len(target_pieces), :len(source_pieces)]

    def words(pieces):
        groups = []
        for index, piece in enumerate(pieces):
            if piece.startswith("▁") or not groups:
                groups.append([])
            groups[-1].append(index)
        return [("".join(pieces[i] for i in group).replace("▁", ""), group) for group in groups]

    result = []
    for word, group in words(target_pieces):
        looks = weights[group].sum(0)
        result.append((word, max(words(source_pieces), key=lambda pair: float(looks[pair[1]].sum()))[0]))
    return result


def main():
    import sacrebleu
    import sentencepiece
    from safetensors.torch import load_file
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", choices=CONFIGURATIONS, default="cpu")
    parser.add_argument("--cache", required=True)
    parser.add_argument("--model", required=True, help="the exported folder; evaluation.json and README.md are written there")
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--compare", type=int, default=200, help="sentences given to transformers as well")
    parser.add_argument("--trained-on", default="two CPU cores")
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    folder = pathlib.Path(a.model)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    model = T5({**CONFIGURATIONS[a.configuration], "pieces": processor.get_piece_size()})
    model.load_state_dict({name: value.float() for name, value in load_file(folder / "model.safetensors").items()})
    model.eval()
    pairs = json.loads((pathlib.Path(a.cache) / "held-out.json").read_text("utf-8"))["test"][:a.pairs]
    english, french = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    result = {"pairs": len(pairs), "parameters": sum(p.numel() for p in model.parameters()), "device": a.trained_on}
    for name, search in (("greedy", greedy), ("beam 4", beam)):
        said = translated(model, processor, french, search)
        bleu, chrf = sacrebleu.metrics.BLEU(), sacrebleu.metrics.CHRF()
        result[name] = {"bleu": round(bleu.corpus_score(said, [english]).score, 2), "chrf": round(chrf.corpus_score(said, [english]).score, 2),
                        "signature": str(bleu.get_signature()), "exact": round(100 * sum(s == e for s, e in zip(said, english)) / len(said), 1)}
    result["examples"] = [{"french": f, "reference": e, "answer": s, "alignment": alignment(model, processor, f, s) if s else []}
                          for f, e, s in list(zip(french, english, said))[:10]]
    if a.compare:
        import transformers
        reference = transformers.T5ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        sentences, same, records, attention = french[:a.compare], 0, [], {}
        ids = [processor.encode(sentence) + [1] for sentence in sentences]
        assert ids == tokenizer(sentences).input_ids, "tokenizer.json and spiece.model disagree"
        for sentence, text in zip(ids, sentences):
            source = torch.tensor([sentence])
            theirs = reference.generate(input_ids=source, max_new_tokens=64, num_beams=1, do_sample=False)
            same += [token for token in theirs[0].tolist() if token > 1] == greedy(model, source)[0]
            if len(records) < export.ATTENTION_KEPT:
                seen = reference(input_ids=source, decoder_input_ids=theirs[:, :-1], output_attentions=True).cross_attentions
                for index, weights in enumerate(seen):
                    attention[f"{len(records):03}.{index}"] = weights[0].detach().transpose(0, 1).contiguous()
            records.append({"text": text, "ids": sentence, "answer_ids": theirs[0, 1:].tolist(), "answer": tokenizer.decode(theirs[0], skip_special_tokens=True)})
        export.keep_questions(folder, records, attention)
        result["transformers"] = {"sentences": len(sentences), "same_greedy_answer": same, "transformers": transformers.__version__}
    (folder / "evaluation.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    log = folder / "recipe" / "log.jsonl"
    last = json.loads(log.read_text("utf-8").splitlines()[-1]) if log.exists() else {"step": "?", "minutes": "?"}
    values = {
        "size": f"{(folder / 'model.safetensors').stat().st_size / 1e6:.1f} MB", "parameters": f"{result['parameters'] / 1e6:.1f} M", "pairs": str(len(pairs)),
        "greedy": str(result["greedy"]["bleu"]), "beam": str(result["beam 4"]["bleu"]), "greedy_chrf": str(result["greedy"]["chrf"]),
        "beam_chrf": str(result["beam 4"]["chrf"]), "signature": result["greedy"]["signature"], "device": a.trained_on, "minutes": str(last["minutes"]),
        "steps": str(last["step"]), "pieces": str(processor.get_piece_size()),
        "compared": f"{result['transformers']['same_greedy_answer']} of {result['transformers']['sentences']}" if a.compare else "not run",
        "examples": "\n".join(f"| {e['french']} | {e['answer']} | " + " ".join(f"{word}←{source}" for word, source in e["alignment"]) + " |" for e in result["examples"])}
    text = (HERE / "card.md").read_text("utf-8")
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    (folder / "README.md").write_text(text, "utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "examples"}, indent=1, ensure_ascii=False))
    print(f"{export.describe(folder) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
