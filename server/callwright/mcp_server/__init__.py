"""What a person browses and starts from, beside the tools: resources, prompts, skills and completions."""
