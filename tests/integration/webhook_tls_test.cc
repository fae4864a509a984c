// Webhooks over TLS: who is told, who is refused and how that is said, and that a receiver whom
// nobody can trust holds no run.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <openssl/hmac.h>

#include <filesystem>
#include <fstream>

#include "tests/fault/backfill_world.h"
#include "tests/support/certificates.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/tls_receiver.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kSecret = "the key of both";

// By OpenSSL, where the program has its own.
std::string HmacOf(const std::string& body) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), kSecret, static_cast<int>(std::string_view(kSecret).size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest, &size);
  std::string digits;
  for (unsigned int i = 0; i < size; ++i) digits += fmt::format("{:02x}", digest[i]);
  return digits;
}

class WebhookTls : public BackfillWorld {
 protected:
  WebhookTls() { ours_.Save(folder_.path() / "ours.pem"); }

  // A backfill that tells of its end, at an address whose path is a secret. It is done, whatever
  // comes of that.
  void TellOfOne(TlsReceiver& receiver, const std::string& host, Words environment = {}) {
    MakeItems(500);
    const fs::path config = folder_.path() / "pgalter.toml";
    std::ofstream(config) << "[[webhook]]\nurl = \"env:HOOK_URL\"\nsecret = \"env:HOOK_SECRET\"\n"
                             "events = [\"done\"]\ntimeout = \"60s\"\n";
    environment.push_back(fmt::format("HOOK_URL=https://{}:{}/geheim", host, receiver.port()));
    environment.push_back(fmt::format("HOOK_SECRET={}", kSecret));
    environment.push_back("no_proxy=*");  // whatever this machine goes through
    const Ran ran = Run(Backfill({"--config", config.string()}), environment);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(Undone(), 0);
    EXPECT_THAT(ran.err, Not(HasSubstr("geheim")));
    said_ = database_.Value("SELECT said FROM pgalter.event WHERE event = 'done'");
    const std::string told = said_.empty() ? "" : "webhook 1 was not told of done: " + said_;
    EXPECT_THAT(ran.err, HasSubstr(told));
  }
  [[nodiscard]] std::string Trusting() const {
    return "CURL_CA_BUNDLE=" + (folder_.path() / "ours.pem").string();
  }
  void ExpectRefused(TlsReceiver& receiver, const std::string& why) {
    EXPECT_THAT(receiver.requests(), IsEmpty());
    EXPECT_EQ(receiver.callers(), 1) << "who is not trusted is not trusted a moment later either";
    EXPECT_THAT(said_, HasSubstr(why));
    EXPECT_THAT(said_, Not(HasSubstr("geheim")));
  }

  ScratchFolder folder_;
  Authority ours_{"ours"};
  std::string said_;
};

TEST_F(WebhookTls, OneOfATrustedAuthorityIsToldAndCanVerifyIt) {
  TlsReceiver receiver(ours_.VouchFor("DNS:localhost,IP:127.0.0.1"));
  TellOfOne(receiver, "127.0.0.1", {Trusting()});
  const auto requests = receiver.requests();
  ASSERT_THAT(requests, SizeIs(1));
  const std::string& request = requests.front();
  EXPECT_THAT(request, HasSubstr("POST /geheim HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("X-Pgalter-Event: done\r\n"));
  const std::string body = request.substr(request.find("\r\n\r\n") + 4);
  EXPECT_THAT(body, HasSubstr("\"event\":\"done\""));
  EXPECT_THAT(request, HasSubstr("X-Pgalter-Signature: sha256=" + HmacOf(body) + "\r\n"));
  EXPECT_EQ(said_, "");
  EXPECT_EQ(database_.Value("SELECT code FROM pgalter.event WHERE event = 'done'"), "200");
}

TEST_F(WebhookTls, OneOfAnUnknownAuthorityIsRefused) {
  const Authority theirs("theirs");
  TlsReceiver receiver(theirs.VouchFor("IP:127.0.0.1"));
  TellOfOne(receiver, "127.0.0.1", {Trusting()});
  ExpectRefused(receiver, "unable to get local issuer certificate");
}

// A file of the user's that would trust everybody is not read.
TEST_F(WebhookTls, TheSettingsOfCurlTurnNothingOff) {
  std::ofstream(folder_.path() / ".curlrc") << "insecure\n";
  TlsReceiver receiver(ours_.VouchFor("IP:127.0.0.1"));
  const std::string home = folder_.path().string();
  TellOfOne(receiver, "127.0.0.1", {"HOME=" + home, "CURL_HOME=" + home});
  ExpectRefused(receiver, "unable to get local issuer certificate");
}

TEST_F(WebhookTls, OneOfAnotherNameIsRefused) {
  TlsReceiver receiver(ours_.VouchFor("DNS:ops.example,IP:127.0.0.2"));
  TellOfOne(receiver, "127.0.0.1", {Trusting()});
  ExpectRefused(receiver, "no alternative certificate subject name matches");
}

TEST_F(WebhookTls, OneThatHasExpiredIsRefused) {
  TlsReceiver receiver(ours_.VouchFor("IP:127.0.0.1", kExpired));
  TellOfOne(receiver, "127.0.0.1", {Trusting()});
  ExpectRefused(receiver, "certificate has expired");
}

}  // namespace
}  // namespace pgalter::test
