#include "cli/evidence/html.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

namespace pgalter::cli::evidence {

namespace json = boost::json;

namespace {

constexpr std::string_view kHead = R"html(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>pgalter report</title>
<style>
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; background: #fff; color: #1b1f24;
  font: .95rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #8c959f; }
h3 { font-size: 1rem; margin: 1.25rem 0 .4rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-bottom: 1px solid #d0d7de; overflow-wrap: break-word; }
th { color: #57606a; font-weight: 600; }
td.long { overflow-wrap: anywhere; min-width: 8em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { color: #57606a; }
dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: .3rem 0; padding: .5rem; background: #f6f8fa; border: 1px solid #d0d7de;
  white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.4 ui-monospace, monospace; }
code { font-family: ui-monospace, monospace; font-size: .85rem; }
.none { color: #57606a; font-style: italic; }
.bad { color: #a40e26; font-weight: 600; }
.sign { height: 3.2em; min-width: 9rem; }
.clause { white-space: nowrap; }
a { color: inherit; }
@page { margin: 18mm 15mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  h2, h3 { break-after: avoid; }
  thead { display: table-header-group; }
  tr, dl { break-inside: avoid; }
  section.run { break-before: page; }
  pre { background: none; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
}
</style></head><body>
)html";

// A hash, a path: on paper it is broken anywhere, so that other columns keep their words
// whole.
bool HasLongWord(std::string_view text) {
  constexpr std::size_t kLong = 30;
  std::size_t length = 0;
  for (const char c : text) {
    length = c == ' ' || c == '\n' ? 0 : length + 1;
    if (length > kLong) return true;
  }
  return false;
}

}  // namespace

Html::Html() : page_(kHead) {}

void Html::Heading(int level, std::string_view text) {
  const std::string id = level == 2 ? fmt::format(" id=\"{}\"", AnchorOf(text)) : "";
  page_ += fmt::format("<h{0}{2}>{1}</h{0}>\n", level, Escaped(text), id);
}

void Html::Classed(std::string_view name, std::string_view text) {
  page_ += fmt::format("<p class=\"{}\">{}</p>\n", name, Escaped(text));
}

void Html::Paragraph(std::string_view text) { page_ += fmt::format("<p>{}</p>\n", Escaped(text)); }

void Html::Code(std::string_view text) { page_ += fmt::format("<pre>{}</pre>\n", Escaped(text)); }

void Html::Facts(std::initializer_list<std::array<std::string, 2>> facts) {
  page_ += "<dl>";
  for (const auto& [name, value] : facts)
    page_ += fmt::format("<dt>{}</dt><dd>{}</dd>", Escaped(name), Escaped(value));
  page_ += "</dl>\n";
}

void Html::TableHead(std::initializer_list<std::string_view> names) {
  page_ += "<table><thead><tr>";
  for (const std::string_view name : names) page_ += fmt::format("<th>{}</th>", Escaped(name));
  page_ += "</tr></thead><tbody>\n";
}

void Html::Row(std::initializer_list<std::string> cells) {
  page_ += "<tr>";
  for (const std::string& cell : cells)
    page_ +=
        fmt::format("<td{}>{}</td>", HasLongWord(cell) ? " class=\"long\"" : "", Escaped(cell));
  page_ += "</tr>\n";
}

std::string AnchorOf(std::string_view heading) {
  std::string anchor;
  for (const char c : heading) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    const bool upper = c >= 'A' && c <= 'Z';
    anchor += kept ? c : upper ? static_cast<char>(c - 'A' + 'a') : '-';
  }
  return anchor;
}

std::string Text(const json::value& from, const char* key) {
  const json::value* value = from.as_object().if_contains(key);
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_string()) return value->as_string().empty() ? "-" : value->as_string().c_str();
  if (value->is_bool()) return value->as_bool() ? "yes" : "no";
  return json::serialize(*value);
}

std::string Escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        if (control && c != '\n' && c != '\t') {
          html += "\uFFFD";
        } else {
          html += c;
        }
    }
  }
  return html;
}

}  // namespace pgalter::cli::evidence
