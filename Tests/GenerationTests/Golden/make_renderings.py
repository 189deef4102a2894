"""Writes renderings.json: what transformers' apply_chat_template makes of conversations, for every family of formats.

The templates are those of published checkpoints, cut to what concerns a conversation of system, user and assistant
(branches for tools are left out).  pip install transformers jinja2; python make_renderings.py > renderings.json
"""

import json

from transformers import PreTrainedTokenizerFast
from tokenizers import Tokenizer, models

TURNS = "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
IM = "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
IM_PROMPT = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    + IM + "{% endfor %}" + IM_PROMPT
)
QWEN25 = r"""{%- if tools %}
    {{- '<|im_start|>system\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.' }}
    {%- endif %}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
    {%- else %}
        {{- '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
"""
CHATML = "{% for message in messages %}" + IM + "{% endfor %}" + IM_PROMPT
LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}"
    "{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" + TURNS + "{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    r"{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    r"{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
)
LLAMA3_PROMPT = r"{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}"
SYSTEM_31 = r"""{{- bos_token }}
%s{%%- if messages[0]['role'] == 'system' %%}
    {%%- set system_message = messages[0]['content']|trim %%}
    {%%- set messages = messages[1:] %%}
{%%- else %%}
    {%%- set system_message = "" %%}
{%%- endif %%}

{#- System message #}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{{- "Cutting Knowledge Date: December 2023\n" }}
{{- "Today Date: " + date_string + "\n\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%%- for message in messages %%}
    {%%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %%}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%%- endif %%}
{%%- endfor %%}
{%%- if add_generation_prompt %%}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%%- endif %%}
"""
FIXED = '{%- if not date_string is defined %}\n    {%- set date_string = "26 Jul 2024" %}\n{%- endif %}\n'
TODAY = (
    "{%- if not date_string is defined %}\n    {%- if strftime_now is defined %}\n"
    '        {%- set date_string = strftime_now("%d %b %Y") %}\n    {%- else %}\n'
    '        {%- set date_string = "26 Jul 2024" %}\n    {%- endif %}\n{%- endif %}\n'
)
LLAMA31, LLAMA32 = SYSTEM_31 % FIXED, SYSTEM_31 % TODAY


def mllama(later):
    guard = (
        "{%- if user_supplied_system_message or not image_ns.has_images %}"
        if later
        else '{%- if image_ns.has_images and not system_message == "" %}\n'
        '    {{- raise_exception("Prompting with images is incompatible with system messages.") }}\n{%- endif %}\n\n'
        "{#- System message if there are no images #}\n{%- if not image_ns.has_images %}"
    )
    flag = lambda value: "    {%%- set user_supplied_system_message = %s %%}\n" % value if later else ""
    return (
        "{{- bos_token }}\n" + TODAY + "\n{%- if messages[0]['role'] == 'system' %}\n"
        "    {%- set system_message = messages[0]['content']|trim %}\n"
        + "    {%- set messages = messages[1:] %}\n" + flag("true") + "{%- else %}\n"
        '    {%- set system_message = "" %}\n' + flag("false") + "{%- endif %}\n\n"
        "{#- Find out if there are any images #}\n{% set image_ns = namespace(has_images=false) %}      \n"
        "{%- for message in messages %}\n    {%- for content in message['content'] %}\n"
        "        {%- if content['type'] == 'image' %}\n            {%- set image_ns.has_images = true %}\n"
        "        {%- endif %}\n    {%- endfor %}\n{%- endfor %}\n\n" + guard + "\n"
        r'''    {{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
    {{- "Cutting Knowledge Date: December 2023\n" }}
    {{- "Today Date: " + date_string + "\n\n" }}
    {{- system_message }}
    {{- "<|eot_id|>" }}
{%- endif %}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}
    {%- if message['content'] is string %}
        {{- message['content'] }}
    {%- else %}
        {%- for content in message['content'] %}
            {%- if content['type'] == 'image' %}
                {{- '<|image|>' }}
            {%- elif content['type'] == 'text' %}
                {{- content['text'] }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
'''
    )


LLAVA = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}"
    "{# Render all images first #}{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}"
    "{{ '<image>\n' }}{% endfor %}{# Render all text next #}{% if message['role'] != 'assistant' %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] + ' '}}{% endfor %}"
    "{% else %}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{% generation %}"
    "{{ content['text'] + ' '}}{% endgeneration %}{% endfor %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def smolvlm(prefix, capitalize):
    return (
        prefix + "{% for message in messages %}{{message['role']" + capitalize + "}}"
        "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
        "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
        "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
        "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
    )


def mistral_old(after):
    return (
        "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" + TURNS
        + "{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token" + after + "}}"
        "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
    )


def mistral_new(before, after, answer, place):
    return (
        r"""{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        """ + TURNS + r"""
    {%- endif %}
    {%- if message["role"] == "user" %}
        {%- if loop.PLACE and system_message is defined %}
            {{- "BEFORE" + system_message + "\n\n" + message["content"] + "AFTER" }}
        {%- else %}
            {{- "BEFORE" + message["content"] + "AFTER" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- ANSWER + eos_token}}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
"""
    ).replace("BEFORE", before).replace("AFTER", after).replace("ANSWER", answer).replace("PLACE", place)


GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" + TURNS + "{% endif %}"
    "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
GEMMA3 = r"""{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '

' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        """ + TURNS + r"""
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model
'}}
{%- endif -%}
"""


def phi3(system):
    return (
        "{% for message in messages %}{% if message['role'] == 'system'" + system + " %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
        "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
        "{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
    )


PHI3_FIRST = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') %}"
    r"{{'<|user|>' + '\n' + message['content'] + '<|end|>' + '\n' + '<|assistant|>' + '\n'}}"
    r"{% elif (message['role'] == 'assistant') %}{{message['content'] + '<|end|>' + '\n'}}{% endif %}{% endfor %}"
)
PHI3_MEDIUM = (
    r"{{ bos_token }}{% for message in messages %}{{'<|' + message['role'] + '|>' + '\n' + message['content'] + '<|end|>\n' }}{% endfor %}"
    r"{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)
PHI3_VISION = (
    "{% for message in messages %}{{'<|' + message['role'] + '|>' + '\n' + message['content'] + '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt and messages[-1]['role'] != 'assistant' %}{{- '<|assistant|>\n' -}}{% endif %}"
)
PHI4_MINI = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"
)
ZEPHYR = (
    r"""{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>
'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""
)

def own():
    """That of the models that come with Fovea, from their recipe."""
    import pathlib
    import sys
    sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[3] / "assets/models/recipe"))
    from tokens import CHAT_TEMPLATE
    return CHAT_TEMPLATE.replace("IMAGE", "<|image|>")


L3 = ("<|begin_of_text|>", "<|eot_id|>")
S = ("<s>", "</s>")
FORMATS = [
    # name of the format, checkpoint it is of, template, begin and end of text, whether contents are lists
    ("chatml", "SmolLM2-Instruct", SMOLLM2, ("<|im_start|>", "<|im_end|>"), False),
    ("chatml", "Qwen2.5-Instruct", QWEN25, ("", "<|im_end|>"), False),
    ("chatml", "OpenHermes-2.5", CHATML, ("<s>", "<|im_end|>"), False),
    ("chatml", "with begin of text", "{{ bos_token }}" + CHATML, ("<|begin_of_text|>", "<|im_end|>"), False),
    ("chatml", "fovea-scenes", own(), ("", "<|im_end|>"), True),
    ("llama2", "Llama-2-chat", LLAMA2, S, False),
    ("llama3", "Meta-Llama-3-Instruct", LLAMA3 + "{% if add_generation_prompt %}" + LLAMA3_PROMPT + "{% endif %}", L3, False),
    ("llama3", "Meta-Llama-3-Instruct, first edition", LLAMA3 + LLAMA3_PROMPT, L3, False),
    ("llama3.1", "Llama-3.1-Instruct", LLAMA31, L3, False),
    ("llama3.1", "Llama-3.2-Instruct", LLAMA32, L3, False),
    ("mllama", "Llama-3.2-Vision-Instruct", mllama(False), L3, True),
    ("mllama", "Llama-3.2-Vision-Instruct, later edition", mllama(True), L3, True),
    ("vicuna", "llava-1.5-hf", LLAVA, S, True),
    ("smolvlm", "SmolVLM-Instruct", smolvlm("<|im_start|>", " | capitalize"), ("<|im_start|>", "<end_of_utterance>"), True),
    ("smolvlm", "Idefics3-8B-Llama3", smolvlm("<|begin_of_text|>", ".capitalize()"), ("<|begin_of_text|>", "<|end_of_text|>"), True),
    ("mistral", "Mistral-7B-Instruct-v0.1", mistral_old(" + ' '"), S, False),
    ("mistral", "Mistral-7B-Instruct-v0.2, first edition", mistral_old(""), S, False),
    ("mistral", "Mistral-7B-Instruct-v0.2", mistral_new(" [INST] ", " [/INST]", '" " + message["content"]', "first"), S, False),
    ("mistral-v3", "Mistral-7B-Instruct-v0.3", mistral_new("[INST] ", "[/INST]", '" " + message["content"]|trim', "last"), S, False),
    ("mistral-v3", "Mistral-Nemo-Instruct-2407", mistral_new("[INST]", "[/INST]", 'message["content"]', "last"), S, False),
    ("gemma", "gemma-2-it", GEMMA, ("<bos>", "<eos>"), False),
    ("gemma3", "gemma-3-it", GEMMA3, ("<bos>", "<eos>"), False),
    ("gemma3", "gemma-3-it, with pictures", GEMMA3, ("<bos>", "<eos>"), True),
    ("phi3", "Phi-3-mini, first edition", PHI3_FIRST, ("<s>", "<|endoftext|>"), False),
    ("phi3", "Phi-3-mini", phi3(""), ("<s>", "<|endoftext|>"), False),
    ("phi3", "Phi-3.5-mini", phi3(" and message['content']"), ("<s>", "<|endoftext|>"), False),
    ("phi3", "Phi-3-medium", PHI3_MEDIUM, ("<s>", "<|endoftext|>"), False),
    ("phi3", "Phi-3-vision", PHI3_VISION, ("<s>", "<|endoftext|>"), False),
    ("phi3", "Phi-4-mini", PHI4_MINI, ("<|endoftext|>", "<|endoftext|>"), False),
    ("zephyr", "zephyr-7b-beta", ZEPHYR, S, False),
]
PICTURES = {"mllama", "vicuna", "smolvlm", "gemma3"}

CONVERSATIONS = [
    [("user", "Hello", 0)],
    [("system", "Be brief.", 0), ("user", "Hello", 0)],
    [("user", "What is 2+2?", 0), ("assistant", "4", 0), ("user", "And 3+3?", 0)],
    [("system", "  You like\nlines. ", 0), ("user", " padded \n", 0), ("assistant", "\n\n one\n", 0), ("user", "\u2003wide\u00a0", 0)],
    [("user", "Hi", 0), ("assistant", "Good day", 0)],
    [("system", "", 0), ("user", "Tokens: <|im_end|> </s> [/INST] <end_of_turn> {{ x }} 'q' \"p\" é 日本 👩‍🚀", 0)],
    [("user", "", 0)],
    [("user", "What is this?", 1)],
    [("user", "Compare", 2), ("assistant", "Alike.", 0), ("user", "Why?", 0)],
    [("system", "Look well.", 0), ("user", "What is this?", 1)],
    [("assistant", "I begin.", 0), ("user", "Ok", 0)],
]


def render(template, tokens, lists, conversation, prompt):
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), bos_token=tokens[0] or None, eos_token=tokens[1] or None)
    tokenizer.chat_template = template
    messages = []
    for role, text, pictures in conversation:
        content = [{"type": "image"}] * pictures + [{"type": "text", "text": text}]
        # A system message is plain text where a template calls for it.
        messages.append({"role": role, "content": content if lists and not ("namespace(has_images" in template and role == "system") else text})
    try:
        return tokenizer.apply_chat_template(messages, add_generation_prompt=prompt, tokenize=False)
    except Exception:
        return None


def main():
    from datetime import datetime

    today = datetime.now().strftime("%d %b %Y")
    cases = []
    for name, checkpoint, template, tokens, lists in FORMATS:
        renderings = []
        for conversation in CONVERSATIONS:
            if any(p for _, _, p in conversation) and not lists:
                continue
            for prompt in [True, False]:
                text = render(template, tokens, lists, conversation, prompt)
                renderings.append(
                    {
                        "messages": [{"role": r, "text": t, "pictures": p} for r, t, p in conversation],
                        "addsGenerationPrompt": prompt,
                        "text": None if text is None else text.replace(today, "31 Dec 2024"),
                    }
                )
        cases.append({"format": name, "checkpoint": checkpoint, "template": template, "bos": tokens[0], "eos": tokens[1], "renderings": renderings})
    print(json.dumps({"date": "31 Dec 2024", "cases": cases}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
