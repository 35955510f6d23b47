"""Extract the text of threads: Reddit comments, Stack Exchange questions and answers.

The files, in the order in which data meets them:

    reddit_thread.py          comments, replies indented     stackexchange_thread.py   question, then answers
    markdown.py               Markdown: blocks and code      post_html.py              HTML of posts as text
    markdown_marks.py         Markdown: marks in a line
"""
