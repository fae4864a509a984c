#include "cli/serve/token.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "cli/rejected.h"
#include "engine/state/sha256.h"

namespace pgalter::cli::serve {

namespace {

constexpr std::size_t kShortest = 20;

bool IsPlain(unsigned char c) { return c < 128 && (std::isalnum(c) != 0 || c == '-' || c == '_'); }

}  // namespace

std::string MakeToken() {
  std::array<char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw Rejected(run::ExitCode::kError,
                   fmt::format("cannot make a token: getrandom: {}", std::strerror(errno)),
                   "--token-file FILE");
  return state::HexOf({bytes.data(), bytes.size()});
}

std::string ReadToken(const std::string& file) {
  std::ifstream stream(file);
  std::string token;
  if (!stream || !std::getline(stream, token))
    throw Rejected(run::ExitCode::kUsage, fmt::format("cannot read a token from {}", file),
                   "a file with one line: openssl rand -hex 32");
  if (token.size() < kShortest || !std::all_of(token.begin(), token.end(), IsPlain))
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("the first line of {} is no token: at least {} letters, digits, "
                               "\"-\" and \"_\"",
                               file, kShortest),
                   "openssl rand -hex 32");
  return token;
}

}  // namespace pgalter::cli::serve
