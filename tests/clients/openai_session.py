"""A session of the ``openai`` client; run in the clients' own environment."""

import base64
import sys
from pathlib import Path

import openai

MODEL = "edgewright"


def main() -> None:
    """Ask about an image, stream, follow up, err and cancel, given the server's URL and a file."""
    url, file = sys.argv[1:]
    data = f"data:image/jpeg;base64,{base64.b64encode(Path(file).read_bytes()).decode()}"
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == [MODEL]
        with_chat(client, data)
        with_responses(client, data)


def with_chat(client: openai.OpenAI, data: str) -> None:
    """Hold the session over chat completions."""
    question = {"type": "text", "text": "Which animal is this?"}
    image = {"type": "image_url", "image_url": {"url": data}}
    messages = [{"role": "user", "content": [question, image]}]
    stream = client.chat.completions.create(model=MODEL, messages=messages, stream=True)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert "cat" in said.lower(), said

    messages.append({"role": "assistant", "content": said})
    messages.append({"role": "user", "content": "And is there a dog?"})
    reply = client.chat.completions.create(model=MODEL, messages=messages)
    assert "dog" in (reply.choices[0].message.content or ""), reply
    assert reply.model_extra["edgewright"]["results"][0]["report"]["nodes"], reply

    try:
        client.chat.completions.create(model="gpt-4o", messages=messages)
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error
    else:
        raise AssertionError("an unknown model answered")
    try:
        client.with_options(timeout=0.01).chat.completions.create(model=MODEL, messages=messages)
    except openai.APITimeoutError:
        pass
    else:
        raise AssertionError("the request was not cancelled")
    assert client.chat.completions.create(model=MODEL, messages=messages).choices


def with_responses(client: openai.OpenAI, data: str) -> None:
    """Hold the session over the Responses API."""
    question = {"type": "input_text", "text": "Which animal is this?"}
    given = [{"role": "user", "content": [question, {"type": "input_image", "image_url": data}]}]
    with client.responses.stream(model=MODEL, input=given) as stream:
        kinds = {event.type for event in stream}
        reply = stream.get_final_response()
    assert "response.output_text.delta" in kinds, kinds
    assert "cat" in reply.output_text.lower(), reply
    given += [*reply.output, {"role": "user", "content": "And is there a dog?"}]
    reply = client.responses.create(model=MODEL, input=given)
    assert "dog" in reply.output_text, reply


if __name__ == "__main__":
    main()
