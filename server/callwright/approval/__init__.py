"""Approval of tool calls: when a person is asked, the text of the question, and the proof of the answer.

Every operation that changes something passes through this package.
"""
