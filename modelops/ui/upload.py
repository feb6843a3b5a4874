"""Choosing a file and sending it straight to the server's own route, never through Streamlit's memory."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

_HTML = """
<div class="box">
  <div class="said" role="status" aria-live="polite"></div>
  <label class="pick"><span class="name"></span><input type="file"></label>
  <button type="button" class="send" disabled>Upload</button>
  <div class="blocked"></div>
  <progress max="1" value="0" hidden></progress>
</div>
"""
_CSS = """
.box:not([hidden]) { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; padding: .9rem; font: inherit;
  border: 1px dashed var(--st-border-color); border-radius: var(--st-base-radius); color: var(--st-text-color); }
.pick { display: flex; flex-direction: column; gap: .3rem; flex: 1 1 14rem; min-width: 0; }
.name { font-size: .9rem; }
input { font: inherit; max-width: 100%; color: var(--st-text-color); }
.send { font: inherit; padding: .45rem 1.1rem; cursor: pointer; color: #fff; background: var(--st-primary-color);
  border: 0; border-radius: var(--st-button-radius); }
.send:disabled { opacity: .45; cursor: not-allowed; }
progress { flex: 1 1 100%; accent-color: var(--st-primary-color); }
.said { flex: 1 1 100%; font-size: .9rem; overflow-wrap: anywhere; }
.blocked { flex: 1 1 100%; font-size: .9rem; }
.box[hidden], .said:empty, .blocked:empty { display: none; }
.bad { padding: .6rem .8rem; color: var(--st-red-text-color, #b3261e);
  background: var(--st-red-background-color, #fbeaea); border-radius: var(--st-base-radius); }
"""
_JS = """
export default function ({ parentElement, data, setTriggerValue }) {
  const at = (selector) => parentElement.querySelector(selector);
  const box = at(".box"), input = at("input"), send = at(".send"), bar = at("progress"), said = at(".said");
  // What a drawing wants is kept on the box: an answer comes to the drawing in which its file was sent.
  box.dataset.away = data.away ? "yes" : "";
  const place = () => {
    if (!box.dataset.away) box.dataset.late = "";
    box.hidden = Boolean(box.dataset.away) && !input.disabled && !box.dataset.late;
  };
  at(".name").textContent = data.label;
  if (data.accept) input.accept = data.accept;
  const say = (text, bad) => {
    said.textContent = text; said.className = bad ? "said bad" : "said";
    if (bad) requestAnimationFrame(() => said.scrollIntoView({ block: "nearest" }));
  };
  const ready = () => {
    const file = input.files[0];
    send.disabled = !file || input.disabled || file.size > data.limit || Boolean(data.blocked);
  };
  const fail = (text) => {
    input.disabled = false; bar.hidden = true; box.dataset.late = box.dataset.away;
    place(); ready(); say(text, true);
  };
  input.onchange = () => {
    const file = input.files[0];
    ready();
    if (file && file.size > data.limit) {
      const mib = (bytes) => (bytes / 1048576).toFixed(0);
      say(`This file has ${mib(file.size)} MiB, at most ${mib(data.limit)} are possible.`, true);
    } else say("");
  };
  send.onclick = () => {
    const file = input.files[0];
    if (!file) return;
    const query = new URLSearchParams({ ...data.query, name: file.name });
    const request = new XMLHttpRequest();
    request.open("PUT", `${data.path}?${query}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    send.disabled = true; input.disabled = true; bar.hidden = false; say("Sending");
    request.upload.onprogress = (event) => {
      bar.value = event.loaded / event.total;
      say(bar.value < 1 ? `Sending: ${Math.round(bar.value * 100)} %` : "Received. It is being opened in the sandbox.");
    };
    request.onload = () => {
      input.disabled = false; bar.hidden = true; place();
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* the status says it */ }
      if (request.status < 300) { input.value = ""; say("Done."); setTriggerValue("done", answer); }
      else fail((answer.error && answer.error.message) || `The server refused it (${request.status}).`);
    };
    request.onerror = () => fail("The connection broke. Try again.");
    request.send(file);
  };
  at(".blocked").textContent = data.blocked;
  place();
  ready();
}
"""


@dataclass(frozen=True)
class Uploaded:
    """What the server made of a file that was sent: the number of what it became."""

    id: int


def upload(
    label: str,
    path: str,
    *,
    key: str,
    query: dict[str, str] | None = None,
    accept: str = "",
    limit: int = 1 << 30,
    blocked: str = "",
    away: bool = False,
) -> Uploaded | None:
    """Show a field for one file; return what it became, in the run right after it was sent.

    A page must show it in that run too, or the answer is lost: what lacks before a file can be sent is ``blocked``,
    never a reason to leave the field out. Where something else was chosen than a file, the field is ``away``: it is
    seen only as long as a file is under way, or when that was refused.
    """
    component = st.components.v2.component("modelops_upload", html=_HTML, css=_CSS, js=_JS)
    data = {"label": label, "path": path, "query": query or {}, "accept": accept, "limit": limit, "blocked": blocked}
    data["away"] = away
    answer = component(key=key, data=data, on_done_change=lambda: None).done
    return Uploaded(int(answer["id"])) if answer and "id" in answer else None
