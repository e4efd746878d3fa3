// SPDX-License-Identifier: BSL-1.0
// Whom TLS trusts, and what it says of the others. Both ends are ours on a simulated network; the
// openssl program and others judge in tls_peers.cpp.
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::CertificateSpec;
using test::Connected;
using test::error_of;
using test::Identity;
using test::pki;

/// What a client says about a server, and how many bytes of the application the server got.
class Outcome {
 public:
  std::string error;
  std::string received;
};

Coro<Outcome> outcome_of(TlsContext server, TlsContext client, std::string host) {
  Outcome outcome;
  auto handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    try {
      outcome.received = co_await reader.read();
    } catch (const SSLError&) {
      // What the client thinks of it is the outcome.
    }
    writer.close();
  };
  Server listening = co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(server));
  ConnectOptions options;
  options.ssl(client).server_hostname(host);
  outcome.error = "nothing";
  try {
    auto [reader, writer] =
        co_await open_connection("127.0.0.1", listening.sockets().at(0).port(), options);
    writer.write("secret");
    writer.close();
    co_await writer.wait_closed();
  } catch (const std::exception&) {
    outcome.error = describe_exception(std::current_exception());
  }
  listening.close();
  co_await listening.wait_closed();
  co_return outcome;
}

Outcome outcome(const TlsContext& server, const TlsContext& client,
                const std::string& host = "localhost") {
  return asyncio::testing::run_simulated(outcome_of(server, client, host));
}

CertificateSpec localhost() { return CertificateSpec("h").alternatives("DNS:localhost"); }

/// The end of an error that names the reason.
std::string failed(const std::string& reason) {
  return "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: " + reason;
}

void expect_refused(const Identity& server, const TlsContext& client, const std::string& reason,
                    const std::string& host = "localhost") {
  Outcome got = outcome(pki().server_with(server), client, host);
  EXPECT_TRUE(
      got.error.starts_with("asyncio::SSLCertVerificationError: TLS handshake with 127.0.0.1:"))
      << got.error;
  EXPECT_TRUE(got.error.ends_with(failed(reason))) << got.error;
  EXPECT_EQ(got.received, "");
}

TEST(TlsVerify, R14_trusted) {
  Outcome got = outcome(pki().server(), pki().client());
  EXPECT_EQ(got.error, "nothing");
  EXPECT_EQ(got.received, "secret");
}

TEST(TlsVerify, fault85_expired) {
  Identity late(pki().folder, localhost().days(-10, -1), pki().root);
  expect_refused(late, pki().client(), "certificate has expired");
}

TEST(TlsVerify, fault85_not_yet_valid) {
  Identity early(pki().folder, localhost().days(1, 10), pki().root);
  expect_refused(early, pki().client(), "certificate is not yet valid");
}

TEST(TlsVerify, fault85_self_signed) {
  Identity own(pki().folder, localhost());
  expect_refused(own, pki().client(), "self-signed certificate");
}

TEST(TlsVerify, fault85_unknown_authority) {
  Identity other(pki().folder, CertificateSpec("Other Root").authority());
  Identity server(pki().folder, localhost(), other);
  expect_refused(server, pki().client(), "unable to get local issuer certificate");
}

TEST(TlsVerify, fault85_nobody_is_trusted_without_certificates) {
  expect_refused(pki().localhost, TlsContext(TlsPurpose::server_auth),
                 "unable to get local issuer certificate");
}

TEST(TlsVerify, fault85_missing_intermediate) {
  Identity middle(pki().folder, CertificateSpec("Middle").authority(), pki().root);
  Identity without(pki().folder, localhost(), middle);
  expect_refused(without, pki().client(), "unable to get local issuer certificate");
  Identity with(pki().folder, localhost(), middle, true);
  Outcome got = outcome(pki().server_with(with), pki().client());
  EXPECT_EQ(got.error, "nothing");
}

TEST(TlsVerify, fault85_certificate_of_a_client) {
  Identity user(pki().folder, localhost().usage("clientAuth"), pki().root);
  expect_refused(user, pki().client(), "unsuitable certificate purpose");
}

TEST(TlsVerify, fault85_revoked) {
  Identity bad(pki().folder, localhost(), pki().root);
  TlsContext client = pki().client();
  client.check_revocation(true);
  expect_refused(pki().localhost, client, "unable to get certificate CRL");
  std::string list = pki().folder.write("revoked.pem", pki().root.revocation_list({&bad}));
  client.load_verify_locations(list);
  expect_refused(bad, client, "certificate revoked");
  Outcome got = outcome(pki().server(), client);
  EXPECT_EQ(got.error, "nothing");
}

/// Made by us, so that OpenSSL's own rules for what we load do not come first.
TlsContext weak_server(const Identity& identity) {
  TlsContext context = create_default_context(TlsPurpose::client_auth);
  context.set_ciphers("DEFAULT:@SECLEVEL=0").load_cert_chain(identity.certfile, identity.keyfile);
  return context;
}

TEST(TlsVerify, fault85_sha1_signature) {
  Identity old(pki().folder, localhost().sha1(), pki().root);
  Outcome got = outcome(weak_server(old), pki().client());
  EXPECT_TRUE(got.error.ends_with(failed("CA signature digest algorithm too weak"))) << got.error;
  EXPECT_EQ(got.received, "");
}

TEST(TlsVerify, fault85_key_of_512_bits) {
  Identity small(pki().folder, localhost().rsa(512), pki().root);
  Outcome got = outcome(weak_server(small), pki().client());
  EXPECT_NE(got.error.find("SSL"), std::string::npos) << got.error;
  EXPECT_EQ(got.received, "");
  Identity medium(pki().folder, localhost().rsa(1024), pki().root);
  got = outcome(weak_server(medium), pki().client());
  EXPECT_TRUE(got.error.ends_with(failed("EE certificate key too weak"))) << got.error;
  EXPECT_EQ(got.received, "");
}

TEST(TlsVerify, fault86_wrong_host_name) {
  expect_refused(pki().localhost, pki().client(),
                 "Hostname mismatch, certificate is not valid for 'example.org'.", "example.org");
  expect_refused(pki().localhost, pki().client(),
                 "IP address mismatch, certificate is not valid for '127.0.0.2'.", "127.0.0.2");
  Outcome got = outcome(pki().server(), pki().client(), "127.0.0.1");
  EXPECT_EQ(got.error, "nothing");
}

TEST(TlsVerify, fault86_common_name_is_no_host_name) {
  Identity named(pki().folder, CertificateSpec("localhost"), pki().root);
  expect_refused(named, pki().client(),
                 "Hostname mismatch, certificate is not valid for 'localhost'.");
}

TEST(TlsVerify, fault86_wildcards) {
  Identity wild(pki().folder, CertificateSpec("w").alternatives("DNS:*.example.org"), pki().root);
  Outcome got = outcome(pki().server_with(wild), pki().client(), "www.example.org");
  EXPECT_EQ(got.error, "nothing");
  for (const char* host : {"example.org", "a.b.example.org"})
    expect_refused(wild, pki().client(),
                   "Hostname mismatch, certificate is not valid for '" + std::string(host) + "'.",
                   host);
}

TEST(TlsVerify, fault86_R14_off_only_by_the_call_named_insecure) {
  TlsContext client = pki().client();
  client.insecure_skip_hostname_check();
  EXPECT_EQ(outcome(pki().server(), client, "example.org").error, "nothing");
  Identity own(pki().folder, localhost());
  EXPECT_NE(outcome(pki().server_with(own), client).error, "nothing") << "the chain still counts";
  client.insecure_skip_verification();
  EXPECT_EQ(outcome(pki().server_with(own), client, "example.org").error, "nothing");
  client.verify_mode(VerifyMode::required);
  EXPECT_NE(outcome(pki().server(), client, "example.org").error, "nothing");
  for (VerifyMode mode : {VerifyMode::none, VerifyMode::optional})
    EXPECT_EQ(test::thrown([&] { client.verify_mode(mode); }),
              "asyncio::ValueError: a client verifies its servers, unless "
              "insecure_skip_verification() is called");
}

TEST(TlsVerify, fault85_client_certificates) {
  TlsContext server = pki().server();
  server.verify_mode(VerifyMode::required).load_verify_locations(pki().root.certfile);
  Outcome got = outcome(server, pki().client());
  EXPECT_EQ(got.received, "") << "no certificate";
  for (CertificateSpec spec : {CertificateSpec("late").usage("clientAuth").days(-2, -1),
                               CertificateSpec("server").usage("serverAuth")}) {
    Identity bad(pki().folder, spec, pki().root);
    TlsContext client = pki().client();
    client.load_cert_chain(bad.certfile, bad.keyfile);
    EXPECT_EQ(outcome(server, client).received, "");
  }
  Identity good(pki().folder, CertificateSpec("user").usage("clientAuth"), pki().root);
  TlsContext client = pki().client();
  client.load_cert_chain(good.certfile, good.keyfile);
  EXPECT_EQ(outcome(server, client).received, "secret");
}

TEST(TlsVerify, fault85_error_has_code_and_message) {
  Identity own(pki().folder, localhost());
  auto main = [&]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter) {};
    Server server =
        co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(pki().server_with(own)));
    ConnectOptions options;
    options.ssl(pki().client()).server_hostname("localhost");
    try {
      co_await open_connection("127.0.0.1", server.sockets().at(0).port(), options);
      ADD_FAILURE() << "connected";
    } catch (const SSLCertVerificationError& e) {
      EXPECT_EQ(e.verify_code(), 18);
      EXPECT_EQ(e.verify_message(), "self-signed certificate");
      EXPECT_EQ(e.library(), "SSL");
      EXPECT_EQ(e.reason(), "CERTIFICATE_VERIFY_FAILED");
      EXPECT_EQ(e.code().category().name(), std::string("ssl"));
      EXPECT_EQ(e.error_number(), 1);
    }
  };
  asyncio::testing::run_simulated(main);
}

// --- Files ------------------------------------------------------------------------------------

TEST(TlsContext, fault98_errors_name_the_file) {
  TlsContext server(TlsPurpose::client_auth);
  const std::string& cert = pki().localhost.certfile;
  const std::string& key = pki().localhost.keyfile;
  std::string missing = pki().folder.file("missing.pem");
  std::string garbage = pki().folder.write("garbage.pem", "no certificate");
  auto loaded = [&](const std::string& certfile, const std::string& keyfile) {
    return test::thrown([&] { server.load_cert_chain(certfile, keyfile); });
  };
  EXPECT_TRUE(loaded(missing, key)
                  .ends_with("Error: load_cert_chain " + missing + ": No such file or directory"))
      << loaded(missing, key);
  EXPECT_TRUE(loaded(cert, missing)
                  .ends_with("Error: load_cert_chain " + missing + ": No such file or directory"))
      << loaded(cert, missing);
  EXPECT_EQ(loaded(garbage, key),
            "asyncio::SSLError: load_cert_chain " + garbage + ": [SSL: PEM_LIB] PEM lib");
  EXPECT_TRUE(loaded(cert, garbage).starts_with("asyncio::SSLError: load_cert_chain " + garbage));
  EXPECT_EQ(loaded(cert, pki().root.keyfile),
            "asyncio::SSLError: load_cert_chain " + pki().root.keyfile +
                ": [X509: KEY_VALUES_MISMATCH] key values mismatch");
  EXPECT_TRUE(loaded(cert, "").starts_with("asyncio::SSLError: load_cert_chain " + cert));
  auto trusted = [&](const std::string& file) {
    return test::thrown([&] { server.load_verify_locations(file); });
  };
  EXPECT_NE(trusted(missing).find(missing), std::string::npos) << trusted(missing);
  EXPECT_NE(trusted(garbage).find(garbage), std::string::npos) << trusted(garbage);
  EXPECT_NE(test::thrown([&] { server.load_verify_data("no certificate"); }), "nothing");
  EXPECT_NE(test::thrown([&] { server.set_ciphers("NO-SUCH-CIPHER"); }), "nothing");
}

TEST(TlsContext, fault98_encrypted_key) {
  std::string file = pki().folder.write("encrypted.key", pki().localhost.encrypted_key("right"));
  TlsContext server(TlsPurpose::client_auth);
  auto loaded = [&](const std::string& password) {
    return test::thrown([&] { server.load_cert_chain(pki().localhost.certfile, file, password); });
  };
  EXPECT_TRUE(loaded("").starts_with("asyncio::SSLError: load_cert_chain " + file)) << loaded("");
  EXPECT_TRUE(loaded("wrong").starts_with("asyncio::SSLError: load_cert_chain " + file));
  EXPECT_EQ(loaded("right"), "nothing");
  EXPECT_EQ(outcome(server, pki().client()).error, "nothing");
}

TEST(TlsContext, fault98_a_failed_load_leaves_the_context_as_it_was) {
  TlsContext server = pki().server();
  EXPECT_NE(
      test::thrown([&] { server.load_cert_chain(pki().root.certfile, pki().localhost.keyfile); }),
      "nothing");
  EXPECT_EQ(outcome(server, pki().client()).error, "nothing");
}

TEST(TlsContext, fault98_reload_under_load) {
  auto main = []() -> Coro<> {
    TlsContext server = pki().server();
    Connected before = co_await test::tls_connected(server, pki().client());
    Identity next(pki().folder, CertificateSpec("next").alternatives("DNS:localhost"), pki().root);
    server.load_cert_chain(next.certfile, next.keyfile);
    Connected after = co_await test::tls_connected(server, pki().client());
    EXPECT_EQ(before.writer().get_extra_info("peercert"), "commonName=localhost");
    EXPECT_EQ(after.writer().get_extra_info("peercert"), "commonName=next");
    before.writer().write("still here");
    std::string got = co_await before.peer_reader().readexactly(10);
    EXPECT_EQ(got, "still here");
    co_await before.close();
    co_await after.close();
  };
  asyncio::testing::run_simulated(main);
}

TEST(TlsContext, A12_4_trust_from_memory) {
  TlsContext client(TlsPurpose::server_auth);
  client.load_verify_data(pki().root.certificate_pem());
  EXPECT_EQ(outcome(pki().server(), client).error, "nothing");
}

TEST(TlsContext, A12_4_keylog_only_when_asked) {
  std::string file = pki().folder.file("keys.log");
  TlsContext client = pki().client();
  client.keylog_filename(file);
  EXPECT_EQ(outcome(pki().server(), client).error, "nothing");
  std::ifstream log(file);
  std::string first;
  std::getline(log, first);
  EXPECT_NE(first.find("_SECRET "), std::string::npos) << first;
  EXPECT_NE(test::thrown([&] {
              client.keylog_filename("/no/such/folder/file");
            }).find("keylog_filename /no/such/folder/file"),
            std::string::npos);
}

TEST(TlsVerify, A3_1_options_have_to_fit_together) {
  asyncio::testing::run_simulated([]() -> Coro<> {
    ConnectOptions name, handshake, shutdown, zero, servers;
    name.server_hostname("x");
    handshake.ssl_handshake_timeout(1s);
    shutdown.ssl_shutdown_timeout(1s);
    zero.ssl(pki().client()).ssl_handshake_timeout(0s);
    servers.ssl(pki().server());
    std::vector<std::string> errors;
    for (const ConnectOptions& options : {name, handshake, shutdown, zero, servers}) {
      std::string error = co_await error_of(open_connection("127.0.0.1", 1, options));
      errors.push_back(error);
    }
    EXPECT_EQ(errors, (std::vector<std::string>{
                          "asyncio::ValueError: server_hostname is only meaningful with ssl",
                          "asyncio::ValueError: ssl_handshake_timeout is only meaningful with ssl",
                          "asyncio::ValueError: ssl_shutdown_timeout is only meaningful with ssl",
                          "asyncio::ValueError: ssl_handshake_timeout should be a positive number, "
                          "got 0.0",
                          "asyncio::ValueError: a client's context is made with "
                          "TlsPurpose::server_auth"}));
    auto handler = [](StreamReader, StreamWriter) {};
    std::string error = co_await error_of(
        start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(pki().client())));
    EXPECT_EQ(error,
              "asyncio::ValueError: a server's context is made with TlsPurpose::client_auth");
  });
}

}  // namespace
