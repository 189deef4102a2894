/// The page at `/`: a chat, with a map of attention over the picture or the text while tokens stream.
enum AttentionPage {
    /// Nothing is loaded from elsewhere, and the page speaks to its own server only.
    static let headers = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
                + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("referrer-policy", "no-referrer"),
    ]

    static let html = #"""
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Fovea</title>
        <style>
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { max-width: 60rem; margin: 1rem auto; padding: 0 1rem; }
        header { display: flex; gap: 1rem; align-items: baseline; }
        h1 { font-size: 1.2rem; margin: 0; }
        #model, #state { opacity: .7; }
        #chat { display: grid; gap: .6rem; margin: 1rem 0; white-space: pre-wrap; }
        .user { font-weight: 600; }
        .token { cursor: pointer; border-radius: .2em; }
        .token:hover, .token[aria-current] { outline: 1px solid currentColor; }
        #view { position: relative; display: inline-block; max-width: 100%; }
        #view img { max-width: 100%; min-width: 20rem; display: block; image-rendering: pixelated; }
        #view canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
        form { display: grid; grid-template-columns: 1fr auto auto; gap: .5rem; align-items: center; }
        textarea, input, button { font: inherit; }
        textarea { grid-column: 1 / -1; min-height: 4rem; }
        </style>
        <header><h1>Fovea</h1><span id="model"></span><span id="state" role="status"></span></header>
        <div id="view"></div>
        <div id="source" aria-label="Attention to the text"></div>
        <div id="chat" aria-live="polite"></div>
        <form id="form">
        <textarea id="text" aria-label="Message" placeholder="Message"></textarea>
        <input id="file" type="file" accept="image/*" aria-label="Picture">
        <input id="token" type="password" aria-label="Token" placeholder="token" hidden>
        <button id="send">Send</button>
        </form>
        <script>
        "use strict";
        const get = id => document.getElementById(id);
        const messages = [];
        let picture = null, abilities = null, steps = [], geometry = null, shown = null;

        const headers = () => {
            const secret = get("token").value;
            return secret ? { authorization: "Bearer " + secret } : {};
        };

        async function connect() {
            const answer = await fetch("v1/models", { headers: headers() });
            if (answer.status === 401) {
                get("token").hidden = false;
                get("state").textContent = "the server asks for its token";
                return;
            }
            abilities = (await answer.json()).data[0];
            get("model").textContent = abilities.id + " · " + abilities.family;
            get("file").hidden = !abilities.inputs.includes("picture");
            get("text").hidden = !abilities.inputs.includes("text");
            get("state").textContent = "";
        }

        get("token").addEventListener("change", connect);
        get("file").addEventListener("change", () => {
            const file = get("file").files[0];
            if (!file) { return; }
            const reader = new FileReader();
            reader.onload = () => {
                picture = reader.result;
                const image = new Image();
                image.alt = "the picture";
                image.src = picture;
                get("view").replaceChildren(image, document.createElement("canvas"));
            };
            reader.readAsDataURL(file);
        });

        /* Mean over layers of the rows of one step: a Map from key to weight. */
        function row(step) {
            const weights = new Map();
            for (const layer of step.layers) {
                layer.keys.forEach((key, i) => {
                    weights.set(key, (weights.get(key) || 0) + layer.weights[i] / step.layers.length);
                });
            }
            return weights;
        }

        const color = share => `rgb(255 ${Math.round(200 * (1 - share))} 0 / ${(0.75 * share).toFixed(3)})`;

        function drawPicture(weights) {
            const canvas = get("view").querySelector("canvas");
            const grids = geometry && geometry.pictures;
            if (!canvas || !grids || !grids.length) { return; }
            const grid = grids[grids.length - 1];
            canvas.width = grid.width;
            canvas.height = grid.height;
            const context = canvas.getContext("2d");
            const rows = grid.rows.filter(r => !r.overview);
            let most = 0;
            for (const r of rows) {
                for (let i = 0; i < r.count; i++) { most = Math.max(most, weights.get(r.first_key + i) || 0); }
            }
            if (!most) { return; }
            for (const r of rows) {
                const [left, top, right, bottom] = r.box;
                const width = (right - left) / r.count;
                for (let i = 0; i < r.count; i++) {
                    context.fillStyle = color((weights.get(r.first_key + i) || 0) / most);
                    context.fillRect(left + i * width, top, width, bottom - top);
                }
            }
        }

        function drawSource(weights) {
            const tokens = geometry && geometry.source;
            if (!tokens) { return; }
            const most = Math.max(...tokens.map((_, i) => weights.get(i) || 0), 1e-9);
            get("source").replaceChildren(...tokens.map((token, i) => {
                const span = document.createElement("span");
                span.textContent = token.text;
                span.style.background = color((weights.get(i) || 0) / most);
                return span;
            }));
        }

        function show(index, span) {
            if (!steps[index]) { return; }
            if (shown) { shown.removeAttribute("aria-current"); }
            shown = span;
            span.setAttribute("aria-current", "true");
            const weights = row(steps[index]);
            drawPicture(weights);
            drawSource(weights);
        }

        function add(role, text) {
            const line = document.createElement("div");
            line.className = role;
            line.textContent = text;
            get("chat").append(line);
            return line;
        }

        function take(chunk, line) {
            if (chunk.error) { throw new Error(chunk.error.message); }
            const choice = chunk.choices[0];
            if (!choice) { return ""; }
            const text = (choice.delta && choice.delta.content) || "";
            const attention = choice.attention;
            if (attention && attention.geometry) { geometry = attention.geometry; }
            if (attention && attention.steps && attention.steps.length) {
                const index = attention.steps[attention.steps.length - 1].index;
                for (const step of attention.steps) { steps[step.index] = step; }
                const span = document.createElement("span");
                span.className = "token";
                span.textContent = text;
                span.addEventListener("click", () => show(index, span));
                line.append(span);
                show(index, span);
            } else {
                line.append(text);
            }
            return text;
        }

        get("form").addEventListener("submit", async event => {
            event.preventDefault();
            if (!abilities) { return connect(); }
            const text = get("text").value;
            if (!text && !picture) { return; }
            const content = [];
            if (picture) { content.push({ type: "image_url", image_url: { url: picture } }); }
            if (text) { content.push({ type: "text", text }); }
            picture = null;
            get("file").value = "";
            get("text").value = "";
            messages.push({ role: "user", content });
            add("user", text);
            const line = add("assistant", "");
            steps = [];
            get("send").disabled = true;
            get("state").textContent = "…";
            try {
                const answer = await fetch("v1/chat/completions", {
                    method: "POST", headers: { "content-type": "application/json", ...headers() },
                    body: JSON.stringify({
                        messages, stream: true,
                        attention: { reduce: "mean-heads", format: "topk", k: 4096 }
                    })
                });
                if (!answer.ok) { throw new Error((await answer.json()).error.message); }
                const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
                let rest = "", said = "";
                for (;;) {
                    const { value, done } = await reader.read();
                    if (done) { break; }
                    rest += value;
                    const events = rest.split("\n\n");
                    rest = events.pop();
                    for (const event of events) {
                        const data = event.replace(/^data: /, "");
                        if (data !== "[DONE]") { said += take(JSON.parse(data), line); }
                    }
                }
                messages.push({ role: "assistant", content: said });
                get("state").textContent = "";
            } catch (error) {
                messages.pop();
                get("state").textContent = error.message;
            }
            get("send").disabled = false;
        });
        connect();
        </script>
        </html>
        """#
}
