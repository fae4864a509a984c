// Certificates of a test's own, made by OpenSSL: an authority, and what it vouches for.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace pgalter::test {

struct FreeOpenSsl {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

struct Certificate {
  std::unique_ptr<EVP_PKEY, FreeOpenSsl> key;
  std::unique_ptr<X509, FreeOpenSsl> text;
};

// From two days ago until then, seen from now.
inline constexpr std::chrono::hours kValid{48};
inline constexpr std::chrono::hours kExpired{-24};

class Authority {
 public:
  explicit Authority(const std::string& name);

  // `names` as OpenSSL has them: "DNS:ops.example", "IP:127.0.0.1".
  [[nodiscard]] Certificate VouchFor(const std::string& names,
                                     std::chrono::hours until = kValid) const;
  // For those who are to trust it.
  void Save(const std::filesystem::path& file) const;

 private:
  Certificate own_;
};

}  // namespace pgalter::test
