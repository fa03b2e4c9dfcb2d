"""One script for each headline figure; writes JSON, a Markdown table and a plot."""
