// The report's page, piece by piece: everything that is put in is escaped. Private to cli/evidence.
#pragma once

#include <array>
#include <boost/json/value.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pgalter::cli::evidence {

// For text and attributes of HTML; control characters become a replacement character.
[[nodiscard]] std::string Escaped(std::string_view text);

// What a heading of the second level is linked by.
[[nodiscard]] std::string AnchorOf(std::string_view heading);

// A member as people read it; "-" for what is not there.
[[nodiscard]] std::string Text(const boost::json::value& from, const char* key);

class Html {
 public:
  Html();

  void Heading(int level, std::string_view text);
  void None(std::string_view text) { Classed("none", text); }
  void Bad(std::string_view text) { Classed("bad", text); }
  void Paragraph(std::string_view text);
  void Code(std::string_view text);
  void Raw(std::string_view html) { page_ += html; }
  void Facts(std::initializer_list<std::array<std::string, 2>> facts);
  void TableHead(std::initializer_list<std::string_view> names);
  void Row(std::initializer_list<std::string> cells);
  void TableEnd() { page_ += "</tbody></table>\n"; }

  [[nodiscard]] std::string Take() { return std::move(page_); }

 private:
  void Classed(std::string_view name, std::string_view text);

  std::string page_;
};

}  // namespace pgalter::cli::evidence
