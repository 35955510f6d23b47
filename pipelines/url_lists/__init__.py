"""Make a list of URLs from Reddit submissions: one row per URL, with scores, dates and subreddits.

The files, in the order in which data meets them:

    job.py     the input, the rules and the output files of a list
    read.py    the Beam step that reads the submissions of a file into a part and packed posts
    write.py   scores per URL, and the rows of the wanted ones
    make.py    the pipeline, and the parts joined into the list
"""
