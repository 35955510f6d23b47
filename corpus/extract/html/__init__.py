"""Extract the main text of web pages and news articles with trafilatura, or with a network of our own.

In the order in which a page meets them:

    main_text.py     a page -> its tree and its main text     div_paragraphs.py   `div`s that are paragraphs
    page_tree.py     what a browser shows, for all modes      layout_tables.py   tables that are no data
    resiliparse_tree.py   the same in resiliparse's own tree   captions.py   captions that say something
    blocks/          mode `corpus`: blocks, judged by a network of our own
    selectors.py     trafilatura's XPath, evaluated faster     page_license.py     the licence a page states
    news_article.py  headline and text; gates                 news_date.py       the day of publication
"""
