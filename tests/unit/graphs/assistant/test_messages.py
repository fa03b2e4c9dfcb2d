"""Every form of message that current chat clients send, and what checkpoints keep of it."""

import base64
import io
from typing import Any
from urllib.parse import quote

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command
from PIL import Image

from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.graph import build_graph
from edgewright.graphs.assistant.messages import MAX_IMAGES, read_content
from edgewright.graphs.services.threads import open_threads
from edgewright.tools.errors import InputError, TooLargeError

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "one"}}


def bitmap(kind: str, size=(40, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


PNG = bitmap("PNG")
B64 = base64.b64encode(PNG).decode()
URI = f"data:image/png;base64,{B64}"

#: An image block as each client or library writes it.
FORMS: dict[str, dict[str, Any]] = {
    # Agent Chat UI, src/lib/multimodal-utils.ts
    "agent-chat-ui": {
        "type": "image",
        "mimeType": "image/png",
        "data": B64,
        "metadata": {"name": "cat.png"},
    },
    "agent-chat-ui-file": {
        "type": "file",
        "mimeType": "image/png",
        "data": B64,
        "metadata": {"filename": "cat.png"},
    },
    # LangChain 1.x standard blocks, and those of 0.3
    "langchain-1": {"type": "image", "base64": B64, "mime_type": "image/png"},
    "langchain-url": {"type": "image", "url": URI},
    "langchain-file": {"type": "file", "base64": B64, "mime_type": "image/png"},
    "langchain-0": {
        "type": "image",
        "source_type": "base64",
        "data": B64,
        "mime_type": "image/png",
    },
    # OpenAI, Chat Completions and Responses
    "openai": {"type": "image_url", "image_url": {"url": URI, "detail": "low"}},
    "openai-string": {"type": "image_url", "image_url": URI},
    "openai-input": {"type": "input_image", "image_url": URI, "detail": "auto"},
    "openai-file": {"type": "file", "file": {"filename": "cat.png", "file_data": URI}},
    "openai-input-file": {"type": "input_file", "filename": "cat.png", "file_data": URI},
    # Anthropic, Google
    "anthropic": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": B64},
    },
    "google": {"type": "media", "mime_type": "image/png", "data": B64},
    # Base64 as programs wrap it, and as URLs need it
    "wrapped": {"type": "image", "data": base64.encodebytes(PNG).decode()},
    "quoted": {"type": "image", "data": f"data:image/png;base64,{quote(B64, safe='')}"},
    "url-safe": {"type": "image", "data": base64.urlsafe_b64encode(PNG).decode().rstrip("=")},
}


@pytest.fixture
def graph(services, tmp_path):
    """Runs a turn with the real checkpointer; returns the state and the bytes of its file."""

    async def run(given: Any, update: Any = None) -> tuple[dict[str, Any], bytes]:
        path = tmp_path / "threads.sqlite"
        context = AssistantContext(services=services)
        async with open_threads(path) as saver:
            compiled = build_graph().compile(checkpointer=saver)
            if update is not None:
                await compiled.aupdate_state(CONFIG, update)
            try:
                state = await compiled.ainvoke(given, CONFIG, context=context) if given else {}
            finally:
                kept = b"".join(each.read_bytes() for each in tmp_path.glob("threads.sqlite*"))
                assert PNG[40:80] not in kept
                assert B64[40:80].encode() not in kept
        return state, kept

    return run


@pytest.mark.parametrize("form", FORMS)
async def test_an_image_of_any_form_is_stored_and_leaves_no_bytes_behind(graph, planner, form):
    content = [{"type": "text", "text": "which animal?"}, FORMS[form]]
    state, _ = await graph({"messages": [{"role": "user", "content": content}]})
    (image,) = planner.requests[0].images
    assert (image.mime, image.width, image.height) == ("image/png", 40, 30)
    assert planner.requests[0].text == "which animal?"
    assert state["messages"][0].content == "which animal?"
    named = "metadata" in FORMS[form] or ("file" in form and "openai" in form)
    assert image.name == ("cat.png" if named else "")


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
async def test_formats_that_nodes_do_not_accept_are_converted_as_from_files(graph, planner, kind):
    data = base64.b64encode(bitmap(kind)).decode()
    block = {"type": "image", "mimeType": f"image/{kind.lower()}", "data": data}
    await graph({"messages": [HumanMessage([{"type": "text", "text": "what?"}, block])]})
    assert planner.requests[0].images[0].mime == "image/png"


async def test_an_image_without_words_gets_a_question(graph, planner):
    await graph({"messages": [HumanMessage([FORMS["openai"]])]})
    await graph({"messages": [HumanMessage([FORMS["openai"], FORMS["anthropic"]])]})
    assert [each.text for each in planner.requests] == [
        "What is this?",
        "What is in each of these images?",
    ]


def test_the_words_of_two_blocks_stay_apart():
    blocks = [{"type": "text", "text": "is it a cat"}, "or", {"type": "input_text", "text": "dog?"}]
    assert read_content(blocks).text == "is it a cat\nor\ndog?"


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ({"type": "image", "data": base64.b64encode(b"hello").decode()}, None),
        ({"type": "image", "data": base64.b64encode(b"GIF89a" + PNG[8:]).decode()}, None),
        ({"type": "image_url", "image_url": "https://example.org/cat.png"}, "image_remote"),
        ({"type": "image", "source": {"type": "url", "url": "http://a/b.png"}}, "image_remote"),
        ({"type": "input_image", "file_id": "file-1"}, "image_remote"),
        ({"type": "file", "mimeType": "application/pdf", "data": B64}, "attachment_unknown"),
        ({"type": "input_audio", "input_audio": {"data": B64}}, "attachment_unknown"),
        ({"type": "image", "data": "data:image/png;base64,%%%" + B64}, "not_an_image"),
        ({"type": "image_url", "image_url": {"url": ""}}, "image_remote"),
        ({"type": "image_url", "image_url": 7}, "image_remote"),
    ],
)
async def test_what_is_refused_leaves_no_bytes_behind(graph, block, code):
    # LangGraph's server hides the text of errors that are no ValueError.
    with pytest.raises(ValueError, match=r"image|message") as caught:
        await graph({"messages": [("user", "before"), {"role": "user", "content": ["a", block]}]})
    assert isinstance(caught.value, InputError)
    assert code in (None, caught.value.info().code)


def test_too_many_images_are_refused():
    with pytest.raises(TooLargeError, match=f"at most {MAX_IMAGES}"):
        read_content([FORMS["openai"]] * (MAX_IMAGES + 1))


async def test_earlier_messages_and_updates_of_the_state_keep_their_words_alone(graph):
    content = [{"type": "text", "text": "look"}, FORMS["openai"], {"type": "audio", "data": B64}]
    earlier = [{"role": "user", "content": content}, AIMessage([FORMS["anthropic"], "yes"])]
    state, _ = await graph({"messages": [*earlier, HumanMessage("and now?")]})
    assert [each.content for each in state["messages"]][:3] == ["look", "yes", "and now?"]
    await graph(None, {"messages": [{"role": "user", "content": content}]})
    with pytest.raises(InputError, match="empty"):
        await graph({"messages": [{"role": "assistant", "content": content}]})
    await graph(Command(update={"messages": [{"role": "user", "content": content}]}))
