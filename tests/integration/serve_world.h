// `pgalter serve` as a process, and what it answers.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "tests/fault/backfill_world.h"
#include "tests/support/http.h"

namespace pgalter::test {

namespace json = boost::json;

class Serve : public BackfillWorld {
 protected:
  using BackfillWorld::BackfillWorld;

  // The port that it says it listens on.
  static int PortOf(Program& program) {
    std::string said;
    const bool there = Within(kLimit, [&] {
      said = program.SoFar().out;
      return said.find('\n') != std::string::npos || !program.running();
    });
    const std::size_t colon = said.find(':', said.find("127.0.0.1"));
    if (!there || colon == std::string::npos)
      throw std::runtime_error("serve said: " + said + program.SoFar().err);
    return std::stoi(said.substr(colon + 1));
  }
  static Words ServeWords(const Words& more = {}) {
    Words words{"serve", "--listen", "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // Held in the middle: it goes on when it is let go.
  [[nodiscard]] std::unique_ptr<Program> HeldBackfill() {
    MakeItems();
    Words words = Backfill(Slowly());
    words.insert(words.end(), {"--dsn", database_.conninfo()});
    auto run = std::make_unique<Program>(PGALTER_BINARY, words);
    Hold();
    return run;
  }
  static json::object Json(int port, const std::string& target, const HttpHeaders& headers = {}) {
    const HttpAnswer answer = Http(port, "GET", target, headers);
    EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
    return json::parse(answer.body).as_object();
  }
  static constexpr const char* kToken = "0123456789abcdefghij_-XY";
  [[nodiscard]] std::string TokenFile() const {
    const std::string file = testing::TempDir() + fmt::format("pgalter-token-{}", database_.name());
    std::ofstream(file) << kToken << "\n";
    return file;
  }
  // 77: nothing here can judge.
  [[nodiscard]] int Validated(const std::string& schema, const std::string& text) const {
    const std::string file = testing::TempDir() + fmt::format("pgalter-json-{}", database_.name());
    std::ofstream(file) << text;
    const int status = std::system(fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/{1}'"
                                               " '{2}'",
                                               PGALTER_SOURCE_DIR, schema, file)
                                       .c_str());
    std::filesystem::remove(file);
    return WEXITSTATUS(status);
  }
  void ExpectValid(const std::string& schema, const std::string& text) const {
    const int code = Validated(schema, text);
    EXPECT_TRUE(code == 0 || code == 77) << text;
  }
  // The first event of that name that the condition likes.
  static json::object EventLike(HttpEvents& events, const std::string& name,
                                const std::function<bool(const json::object&)>& like) {
    for (;;) {
      const HttpEvent event = events.Next();
      if (event.name != name) continue;
      json::object data = json::parse(event.data).as_object();
      if (like(data)) return data;
    }
  }
  static double Fraction(const json::object& data) {
    const auto& runs = data.at("runs").as_array();
    return runs.empty() ? -1 : runs[0].at("fraction").to_number<double>();
  }
};

}  // namespace pgalter::test
