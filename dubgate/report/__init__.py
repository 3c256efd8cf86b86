"""The verdict for people and for tools: text, JSON, HTML, JUnit, issue lists, markers."""
