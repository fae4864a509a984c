#include "migrations/history/sha256.h"

#include "engine/state/sha256.h"

namespace pgalter::history {

std::string Sha256Bytes(std::string_view bytes) {
  state::Sha256 digest;
  digest.Take(bytes);
  return digest.Bytes();
}

std::string Hex(std::string_view bytes) { return state::HexOf(bytes); }

std::string Sha256(std::string_view bytes) { return Hex(Sha256Bytes(bytes)); }

}  // namespace pgalter::history
