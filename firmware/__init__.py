"""The booth: call flow, redial guard, call list, recording and screens."""
