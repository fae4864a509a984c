#include "migrations/history/sqitch_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "migrations/formats/text.h"
#include "migrations/history/sha1.h"

namespace pgalter::history {

namespace {

using formats::SqitchChange;
using formats::SqitchPlan;
using formats::SqitchPlanned;

std::string Named(std::string_view kind, const std::string& info) {
  std::string content = fmt::format("{} {}", kind, info.size());
  content += '\0';
  return Sha1(content + info);
}

std::string Head(const SqitchPlan& plan) {
  std::string head = "project " + plan.project;
  if (!plan.uri.empty()) head += "\nuri " + CanonicalUri(plan.uri);
  return head;
}

std::string Planned(const SqitchPlanned& planned) {
  return fmt::format("\nplanner {} <{}>\ndate {}", planned.name, planned.email, planned.at);
}

// "0" is no note to Perl.
std::string Note(const SqitchPlanned& planned) {
  return planned.note.empty() || planned.note == "0" ? "" : "\n\n" + planned.note;
}

std::string Dependencies(const SqitchChange& change, bool conflicts) {
  std::string text;
  for (const auto& dependency : change.dependencies)
    if (dependency.conflict == conflicts)
      text += fmt::format("\n  {} {}", conflicts ? '-' : '+', dependency.text);
  if (text.empty()) return text;
  return (conflicts ? "\nconflicts" : "\nrequires") + text;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.~!*'()").find(c) != std::string_view::npos;
}

// %7e is ~, and %2f is %2F.
std::string OneForm(std::string_view text) {
  std::string form;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const auto digits = text.substr(i + 1, 2);
    const bool escaped =
        text[i] == '%' && digits.size() == 2 &&
        std::from_chars(digits.data(), digits.data() + 2, code, 16).ptr == digits.data() + 2;
    if (!escaped) {
      form += text[i];
      continue;
    }
    const char c = static_cast<char>(code);
    form += IsUnreserved(c) ? std::string(1, c) : fmt::format("%{:02X}", code);
    i += 2;
  }
  return form;
}

std::string_view WithoutDefaultPort(std::string_view scheme, std::string_view authority) {
  for (const auto& [name, port] : {std::pair<std::string_view, std::string_view>{"http", ":80"},
                                   {"https", ":443"},
                                   {"ftp", ":21"}}) {
    if (scheme != name) continue;
    if (authority.ends_with(port)) authority.remove_suffix(port.size());
  }
  if (authority.ends_with(':')) authority.remove_suffix(1);
  return authority;
}

}  // namespace

std::string CanonicalUri(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos) return OneForm(uri);
  const std::string scheme = formats::Lower(uri.substr(0, colon));
  std::string_view rest = uri.substr(colon + 1);
  if (!rest.starts_with("//")) return scheme + ":" + OneForm(rest);
  rest.remove_prefix(2);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, end);
  std::string path = OneForm(rest.substr(end));
  const bool web = scheme == "http" || scheme == "https";
  if (web && path.empty()) path = "/";
  const std::size_t at = authority.rfind('@');
  const std::string user(at == std::string_view::npos ? "" : authority.substr(0, at + 1));
  const std::string host = formats::Lower(authority.substr(user.size()));
  return scheme + "://" + user + std::string(WithoutDefaultPort(scheme, host)) + path;
}

std::vector<SqitchIds> IdsOf(const SqitchPlan& plan) {
  std::vector<SqitchIds> all;
  for (const SqitchChange& change : plan.changes) {
    std::string info = Head(plan) + "\nchange " + change.name;
    if (!all.empty()) info += "\nparent " + all.back().change;
    info += Planned(change.planned) + Dependencies(change, false) + Dependencies(change, true) +
            Note(change.planned);
    SqitchIds ids;
    ids.change = Named("change", info);
    for (const formats::SqitchTag& tag : change.tags)
      ids.tags.push_back(Named("tag", Head(plan) + "\ntag @" + tag.name + "\nchange " + ids.change +
                                          Planned(tag.planned) + Note(tag.planned)));
    all.push_back(std::move(ids));
  }
  return all;
}

}  // namespace pgalter::history
