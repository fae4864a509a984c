#include "tests/support/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>

namespace pgalter::test {

namespace {

constexpr std::chrono::hours kSince{-48};

void Must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL could not ") + what);
}

long Seconds(std::chrono::hours time) { return static_cast<long>(time.count()) * 3600; }

void Extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  Must(extension != nullptr, "make an extension");
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  Must(added, "add an extension");
}

Certificate Blank(const std::string& name, std::chrono::hours until) {
  static long serial = 0;
  Certificate made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.text.reset(X509_new());
  Must(made.key != nullptr && made.text != nullptr, "make a key");
  X509* text = made.text.get();
  X509_NAME* subject = X509_get_subject_name(text);
  Must(X509_set_version(text, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(text), ++serial) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(text), Seconds(kSince)) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(text), Seconds(until)) != nullptr &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                                      0) == 1 &&
           X509_set_pubkey(text, made.key.get()) == 1,
       "fill a certificate");
  return made;
}

void Sign(const Certificate& made, const Certificate& by) {
  Must(X509_set_issuer_name(made.text.get(), X509_get_subject_name(by.text.get())) == 1 &&
           X509_sign(made.text.get(), by.key.get(), EVP_sha256()) > 0,
       "sign a certificate");
}

}  // namespace

Authority::Authority(const std::string& name) : own_(Blank(name, kValid)) {
  Extend(own_.text.get(), own_.text.get(), NID_basic_constraints, "critical,CA:TRUE");
  Extend(own_.text.get(), own_.text.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  Sign(own_, own_);
}

Certificate Authority::VouchFor(const std::string& names, std::chrono::hours until) const {
  Certificate made = Blank("a receiver", until);
  Extend(made.text.get(), own_.text.get(), NID_subject_alt_name, names);
  Sign(made, own_);
  return made;
}

void Authority::Save(const std::filesystem::path& file) const {
  std::FILE* stream = std::fopen(file.c_str(), "w");
  Must(stream != nullptr, "open a file");
  const bool written = PEM_write_X509(stream, own_.text.get()) == 1;
  Must(std::fclose(stream) == 0 && written, "write a certificate");
}

}  // namespace pgalter::test
