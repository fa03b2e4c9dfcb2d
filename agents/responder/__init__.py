"""The responder: an answer built from results alone, each claim pointing at one of them."""
