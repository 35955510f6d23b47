"""Extract the main text of web pages and news articles with a network of our own, or with trafilatura or resiliparse.

In the order in which a page meets them:

    main_text.py         a page -> its main text             wrapped_lines.py   lines that Chinese sources wrap
    pages_ahead.py       several pages at once                empty_anchors.py   anchors that XHTML leaves open
    blocks/              mode `corpus`: blocks, judged by a network of our own
    trafilatura_text.py  `fast`, `precision`, `recall`        resiliparse_text.py  mode `resiliparse`
    page_tree.py         what a browser shows, for trafilatura, by
      hidden_elements.py   what it hides                       sentence_words.py  words in odd elements
      list_items.py        items of lists, kept whole          layout_tables.py   tables that are no data
      loose_text.py        text that no paragraph holds        captions.py        captions that say something
      page_elements.py     what all these ask of an element    div_paragraphs.py  `div`s that are paragraphs
    resiliparse_tree.py  the same in resiliparse's own tree   prose_frame.py     the element around all prose
    selectors.py         trafilatura's XPath, evaluated faster
    news_article.py      headline and text; gates             news_date.py       the day of publication
    page_license.py      the licence a page states            page_depth.py      pages too deep for lexbor
"""
