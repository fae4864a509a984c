#include "cli/migrate/assert_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "migrations/formats/text.h"
#include "planner/lint/render/xml.h"

namespace pgalter::cli {

namespace {

using history::Answered;

constexpr std::size_t kWidest = 160;

std::string OneLine(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  line = formats::Trim(line);
  if (line.size() <= kWidest) return line;
  std::size_t end = kWidest;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
  return line.substr(0, end) + "…";
}

std::size_t Failed(const std::vector<Answered>& answers) {
  return static_cast<std::size_t>(std::ranges::count(answers, false, &Answered::holds));
}

// A # would begin a directive: "# SKIP" makes a failure count for nothing.
std::string TapName(const std::string& text) {
  std::string name;
  for (const char c : OneLine(text)) {
    if (c == '#' || c == '\\') name += '\\';
    name += c;
  }
  return name;
}

}  // namespace

Tally TallyOf(const std::vector<Questioned>& all) {
  Tally tally;
  for (const Questioned& file : all) {
    tally.asked += file.answers.size();
    tally.failed += Failed(file.answers);
  }
  return tally;
}

std::string AnswersAsText(const std::vector<Questioned>& all) {
  std::string text;
  for (const Questioned& file : all) {
    for (const Answered& answer : file.answers) {
      text += fmt::format("{} {}:{}: {}\n", answer.holds ? "holds" : "FAILS", file.name,
                          answer.line, OneLine(answer.question));
      if (!answer.holds) text += fmt::format("      {}\n", OneLine(answer.why));
    }
  }
  const Tally tally = TallyOf(all);
  return text + fmt::format("{} of {} hold\n", tally.asked - tally.failed, tally.asked);
}

std::string AnswersAsTap(const std::vector<Questioned>& all) {
  std::string text = fmt::format("TAP version 13\n1..{}\n", TallyOf(all).asked);
  std::size_t number = 0;
  for (const Questioned& file : all) {
    for (const Answered& answer : file.answers) {
      text += fmt::format("{} {} - {}:{} {}\n", answer.holds ? "ok" : "not ok", ++number,
                          TapName(file.name), answer.line, TapName(answer.question));
      if (answer.holds) continue;
      // JSON's strings are YAML's as well.
      text += fmt::format("  ---\n  message: {}\n  ...\n",
                          boost::json::serialize(boost::json::value(OneLine(answer.why))));
    }
  }
  return text;
}

std::string AnswersAsJunit(const std::vector<Questioned>& all) {
  const Tally tally = TallyOf(all);
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"pgalter assert\" "
      "tests=\"{}\" "
      "failures=\"{}\">\n",
      tally.asked, tally.failed);
  for (const Questioned& file : all) {
    const std::string name = lint::XmlEscape(file.name);
    text += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n", name,
                        file.answers.size(), Failed(file.answers));
    for (const Answered& answer : file.answers) {
      text +=
          fmt::format("    <testcase classname=\"{}\" name=\"{}: {}\" time=\"{:.3f}\">", name,
                      answer.line, lint::XmlEscape(OneLine(answer.question)), answer.took.count());
      if (!answer.holds)
        text += fmt::format("<failure message=\"{}\"/>", lint::XmlEscape(OneLine(answer.why)));
      text += "</testcase>\n";
    }
    text += "  </testsuite>\n";
  }
  return text + "</testsuites>\n";
}

boost::json::object AnswersAsJson(const std::vector<Questioned>& all) {
  boost::json::array answers;
  for (const Questioned& file : all)
    for (const Answered& answer : file.answers)
      answers.push_back({{"file", file.name},
                         {"line", answer.line},
                         {"question", answer.question},
                         {"holds", answer.holds},
                         {"why", answer.why},
                         {"seconds", answer.took.count()}});
  const Tally tally = TallyOf(all);
  return {{"version", 1}, {"asked", tally.asked}, {"failed", tally.failed}, {"answers", answers}};
}

}  // namespace pgalter::cli
