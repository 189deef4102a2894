/// A chat format that `--chat-format` names, as a template of our own: what the best-known checkpoint of the kind writes.
struct NamedFormat: Sendable {
    let name: String
    var bos = ""
    var eos = ""
    /// Texts that end an answer.
    let stopStrings: [String]
    let template: String

    static let all: [NamedFormat] = [
        NamedFormat(name: "chatml", stopStrings: ["<|im_end|>"], template: chatML),
        NamedFormat(name: "llama2", bos: "<s>", eos: "</s>", stopStrings: ["</s>"], template: turns + llama2),
        NamedFormat(name: "llama3", bos: llama3Start, stopStrings: llama3Stops, template: llama3),
        NamedFormat(name: "llama3.1", bos: llama3Start, stopStrings: llama3Stops, template: llama31),
        NamedFormat(name: "mllama", bos: llama3Start, stopStrings: llama3Stops, template: parts + mllama),
        NamedFormat(name: "vicuna", stopStrings: ["</s>", "USER:"], template: parts + vicuna),
        NamedFormat(name: "smolvlm", stopStrings: ["<end_of_utterance>"], template: parts + smolVLM),
        NamedFormat(name: "mistral", bos: "<s>", eos: "</s>", stopStrings: ["</s>"], template: turns + mistral),
        NamedFormat(name: "mistral-v3", bos: "<s>", eos: "</s>", stopStrings: ["</s>"], template: turns + mistral3),
        NamedFormat(name: "gemma", bos: "<bos>", stopStrings: ["<end_of_turn>"], template: parts + turns + gemma),
        NamedFormat(name: "gemma3", bos: "<bos>", stopStrings: ["<end_of_turn>"], template: parts + turns + gemma3),
        NamedFormat(name: "phi3", eos: "<|endoftext|>", stopStrings: ["<|end|>"], template: phi3),
        NamedFormat(name: "zephyr", eos: "</s>", stopStrings: ["</s>"], template: zephyr),
    ]

    private static let llama3Start = "<|begin_of_text|>"
    private static let llama3Stops = ["<|eot_id|>", "<|eom_id|>"]

    // MARK: Shared parts

    /// Macros for messages that may be lists of parts: the placeholder of every picture, and the text.
    private static let parts = #"""
        {%- macro pictures(content, placeholder) -%}
            {%- for part in content if part['type'] == 'image' -%}{{- placeholder -}}{%- endfor -%}
        {%- endmacro -%}
        {%- macro words(content) -%}
            {%- if content is string -%}
                {{- content -}}
            {%- else -%}
                {%- for part in content if part['type'] == 'text' -%}{{- part['text'] -}}{%- endfor -%}
            {%- endif -%}
        {%- endmacro -%}

        """#

    /// Sets `turns` to what follows the system message, and checks that user and assistant take turns.
    private static let turns = #"""
        {%- set has_system = messages and messages[0].role == 'system' -%}
        {%- set turns = messages[1:] if has_system else messages -%}
        {%- for message in turns -%}
            {%- if (message.role == 'user') != (loop.index0 % 2 == 0) -%}
                {{- raise_exception('user and assistant have to take turns, the user first; message ' ~ loop.index
                    ~ ' is of the role ' ~ message.role) -}}
            {%- endif -%}
        {%- endfor -%}

        """#

    // MARK: Templates

    private static let chatML = #"""
        {%- for message in messages -%}
            {{- '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
        """#

    private static let llama2 = #"""
        {%- for message in turns -%}
            {%- set content = message.content -%}
            {%- if loop.first and has_system -%}
                {%- set content = '<<SYS>>\n' ~ messages[0].content ~ '\n<</SYS>>\n\n' ~ content -%}
            {%- endif -%}
            {%- if message.role == 'user' -%}
                {{- bos_token ~ '[INST] ' ~ content.strip() ~ ' [/INST]' -}}
            {%- else -%}
                {{- ' ' ~ content.strip() ~ ' ' ~ eos_token -}}
            {%- endif -%}
        {%- endfor -%}
        """#

    private static let llama3 = #"""
        {{- bos_token -}}
        {%- for message in messages -%}
            {{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\n\n' -}}
            {{- message.content | trim ~ '<|eot_id|>' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}{%- endif -%}
        """#

    private static let llama31 = #"""
        {{- bos_token -}}
        {%- set has_system = messages and messages[0].role == 'system' -%}
        {{- '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n' -}}
        {{- 'Today Date: ' ~ strftime_now('%d %b %Y') ~ '\n\n' -}}
        {{- messages[0].content | trim if has_system -}}
        {{- '<|eot_id|>' -}}
        {%- for message in (messages[1:] if has_system else messages) -%}
            {{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\n\n' -}}
            {{- message.content | trim ~ '<|eot_id|>' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}{%- endif -%}
        """#

    private static let mllama = #"""
        {{- bos_token -}}
        {%- set has_system = messages and messages[0].role == 'system' -%}
        {%- set system = words(messages[0].content) | trim if has_system else '' -%}
        {%- set turns = messages[1:] if has_system else messages -%}
        {%- set ns = namespace(pictures='') -%}
        {%- for message in turns -%}
            {%- set ns.pictures = ns.pictures ~ pictures(message.content, '<|image|>') -%}
        {%- endfor -%}
        {%- if ns.pictures and system -%}
            {{- raise_exception('this model takes either pictures or a system message') -}}
        {%- endif -%}
        {%- if not ns.pictures -%}
            {{- '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n' -}}
            {{- 'Today Date: ' ~ strftime_now('%d %b %Y') ~ '\n\n' ~ system ~ '<|eot_id|>' -}}
        {%- endif -%}
        {%- for message in turns -%}
            {{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\n\n' -}}
            {{- pictures(message.content, '<|image|>') ~ words(message.content) ~ '<|eot_id|>' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}{%- endif -%}
        """#

    /// As LLaVA 1.5 has it. The begin-of-text token is the tokenizer's to add.
    private static let vicuna = #"""
        {%- for message in messages -%}
            {%- if message.role != 'system' -%}{{- message.role | upper ~ ': ' -}}{%- endif -%}
            {{- pictures(message.content, '<image>\n') ~ words(message.content) ~ ' ' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- 'ASSISTANT:' -}}{%- endif -%}
        """#

    private static let smolVLM = #"""
        {{- '<|im_start|>' -}}
        {%- for message in messages -%}
            {%- set images = pictures(message.content, '<image>') -%}
            {{- message.role | capitalize ~ (':' if images else ': ') ~ images -}}
            {{- words(message.content) ~ '<end_of_utterance>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}
        """#

    private static let mistral = #"""
        {{- bos_token -}}
        {%- if has_system -%}{{- raise_exception('this format has no place for a system message') -}}{%- endif -%}
        {%- for message in turns -%}
            {{- '[INST] ' ~ message.content ~ ' [/INST]' if message.role == 'user' else message.content ~ eos_token -}}
        {%- endfor -%}
        """#

    private static let mistral3 = #"""
        {{- bos_token -}}
        {%- for message in turns -%}
            {%- if message.role == 'user' -%}
                {%- set system = messages[0].content ~ '\n\n' if has_system and loop.last else '' -%}
                {{- '[INST] ' ~ system ~ message.content ~ '[/INST]' -}}
            {%- else -%}
                {{- ' ' ~ message.content ~ eos_token -}}
            {%- endif -%}
        {%- endfor -%}
        """#

    private static let gemma = #"""
        {{- bos_token -}}
        {%- if has_system -%}{{- raise_exception('this model takes no system message') -}}{%- endif -%}
        {%- for message in turns -%}
            {{- '<start_of_turn>' ~ ('model' if message.role == 'assistant' else 'user') ~ '\n' -}}
            {{- words(message.content) | trim ~ '<end_of_turn>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}
        """#

    private static let gemma3 = #"""
        {{- bos_token -}}
        {%- for message in turns -%}
            {{- '<start_of_turn>' ~ ('model' if message.role == 'assistant' else 'user') ~ '\n' -}}
            {{- words(messages[0].content) ~ '\n\n' if loop.first and has_system -}}
            {{- pictures(message.content, '<start_of_image>') ~ words(message.content) | trim ~ '<end_of_turn>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}
        """#

    private static let phi3 = #"""
        {%- for message in messages -%}
            {{- '<|' ~ message.role ~ '|>\n' ~ message.content ~ '<|end|>\n' -}}
        {%- endfor -%}
        {{- '<|assistant|>\n' if add_generation_prompt else eos_token -}}
        """#

    private static let zephyr = #"""
        {%- for message in messages -%}
            {{- '<|' ~ message.role ~ '|>\n' ~ message.content ~ eos_token ~ '\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|assistant|>\n' -}}{%- endif -%}
        """#
}
