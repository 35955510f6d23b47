"""The names that people give the fields of rows, in many languages: of the text, the title, the date and others.

A name is compared by its last part, without case and without what stands between words: `meta.Lang-Code` is langcode.
"""

from __future__ import annotations


def _list(names: str) -> tuple[str, ...]:
    return tuple(names.split())


TEXT_NAMES = _list("""
    text content body raw_content raw_text maintext main_text article article_text document plain_text full_text
    fulltext page_text story passage sentence extracted_text
    正文 内容 內容 文本 全文 文章 本文 原文 記事本文 テキスト текст содержание зміст النص المحتوى 본문 내용 텍스트
    نص متن पाठ सामग्री विषयवस्तु ข้อความ เนื้อหา
    texte texto testo tekst contenu contenido conteúdo contenuto inhalt inhoud treść obsah tartalom szöveg
    metin içerik
    nội_dung văn_bản isi teks innehåll indhold innhold sisältö teksti κείμενο περιεχόμενο תוכן טקסט мәтін
    բովանդակություն
""")
TEXT_WORDS = _list("正文 内容 內容 全文 本文 テキスト 본문 내용 เนื้อหา текст النص المحتوى متن पाठ")
"""Parts of names that go on: `文章内容`, `текст статьи`."""

ID_NAMES = _list("""
    id _id doc_id document_id uid uuid guid key identifier doc_no record_id item_id page_id article_id post_id
    pmid doi
    编号 編號 番号 序号 序號 识别码 識別子 번호 아이디 क्रमांक आईडी รหัส mã
    идентификатор ідентифікатор номер رقم معرف المعرف identifiant identificador identificatore identyfikator kennung
    kimlik tunniste αναγνωριστικό מזהה numéro número numero nummer numer
""")
ID_WORDS = _list(
    "编号 編號 番号 识别码 識別 아이디 идентификатор معرف المعرف identifiant identificador kennung"
)
"""Parts of names that are of an id whatever stands beside them."""
NUMBER_WORDS = _list("번호 รหัส номер رقم numéro número numero nummer numer number nr no mã क्रमांक id आईडी")
ARTICLE_WORDS = _list("""
    文章 記事 文書 条目 條目 문서 기사 글 บทความ статьи статья статті документа документ записи المقال المقالة
    الوثيقة
    लेख article articulo artículo artigo articolo artikel artykułu artykuł beitrag beitrags dokument documento
    document
    doc post record makale bài_viết yazı
""")
"""Number and article together make an id: `رقم المقال`, `Artikelnummer`, but not the number of a telephone."""

URL_NAMES = _list("""
    url uri link source_url page_url permalink webpage href address target_uri 网址 網址 链接 ссылка رابط
""")

DATE_NAMES = _list("""
    date timestamp date_time created created_at published published_at date_published publish_date publish_time
    published_on publication_date publication_time publication pub_date pub_time posted posted_at posted_on issued
    issue_date release_date when date_created create_date creation_date created_on created_time created_utc
    发布日期 發布日期 出版日期 公開日 発行日 掲載日 게시일 발행일 작성일
    updated updated_at date_updated modified modified_at date_modified last_modified crawled crawled_at crawl_date
    crawl_time crawl_timestamp fetched fetched_at fetch_time fetch_date retrieved retrieved_at scraped_at
    scrape_date
    collected_at date_download captured captured_at capture_date warc_date ts time day year
    日期 时间 時間 发布时间 發布時間 发表时间 日付 日時 年月日 날짜 일자 일시 дата تاريخ التاريخ तारीख दिनांक วันที่
    datum fecha data tarih ngày tanggal dato päivä päivämäärä dátum ημερομηνία תאריך күні
""")
DATE_ENDS = _list("date datetime timestamp")
"""Last words of names that nobody can list: `page_language`, `article.pubDate`."""
DATE_WORDS = _list("""
    日期 时间 時間 日付 日時 公開日 発行日 掲載日 更新日 날짜 일자 일시 발행일 게시일 작성일 дата تاريخ التاريخ
    तारीख दिनांक วันที่
    date datum fecha data tarih tarihi ngày tanggal dato päivä päivämäärä dátum ημερομηνία תאריך
""")

LANGUAGE_NAMES = _list("""
    language lang lng lang_code language_code lang_id language_id lang_iso language_iso locale in_language
    detected_language detected_lang predicted_language predicted_lang lid iso iso_code iso_639 iso_639_1 iso_639_2
    iso_639_3 iso_3 lg langue sprache idioma lingua taal język dil 语言 語言 语种 言語 언어 язык لغة اللغة भाषा ภาษา
    ngôn_ngữ språk sprog kieli jazyk nyelv γλώσσα שפה
""")
LANGUAGE_ENDS = _list("language lang locale")
SCRIPT_NAMES = _list("script language_script lang_script")

LICENSE_NAMES = _list("""
    license licence licenses licences rights license_name license_id spdx spdx_id 许可 許可 许可证 许可协议 授权
    授權 版权 版權
    著作権 ライセンス 利用許諾 라이선스 라이센스 저작권 lizenz licencia licença licenza licentie licencja lisans
    lisens licens
    lisenssi лицензия ліцензія ترخيص الترخيص رخصة الرخصة लाइसेंस สัญญาอนุญาต giấy_phép lisensi άδεια רישיון
""")
LICENSE_WORDS = _list("""
    许可 許可 授权 授權 版权 版權 著作権 ライセンス 라이선스 라이센스 저작권 лицензия лицензии ліцензія ترخيص رخصة
    लाइसेंस สัญญาอนุญาต
    license licence lizenz licencia licença licenza licentie licencja lisans
""")
GROUP_NAMES = _list("group group_id book_id thread_id series")

TITLE_NAMES = _list("""
    title headline name author 标题 標題 题目 題目 題名 見出し 件名 タイトル 제목 标题名 作者 著者 筆者 저자 글쓴이
    заголовок название назва автор العنوان عنوان المؤلف الكاتب शीर्षक लेखक ชื่อเรื่อง หัวข้อ ผู้เขียน
    titre titel überschrift título titulo titolo tytuł název cím başlık tiêu_đề judul overskrift rubrik otsikko
    τίτλος
    כותרת auteur autor autore yazar tác_giả penulis forfatter författare συγγραφέας
""")
TITLE_WORDS = _list("""
    标题 標題 題名 タイトル 제목 작성자 作者 著者 заголовок название العنوان عنوان المؤلف शीर्षक titre titel título
""")
