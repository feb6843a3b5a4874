"""What the pages share: the frame around every page, the navigation, texts, and small widgets."""
