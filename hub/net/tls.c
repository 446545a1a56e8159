#include "net/tls.h"

#include "os/log.h"

#include <openssl/ssl.h>
#include <sys/stat.h>

static enum err complain(const char *path, const char *reason)
{
    LOG_ERROR("tls_file_refused", LOG_WORD("path", path), LOG_WORD("reason", reason));
    return ERR_INVALID;
}

/* Loads both, so that a wrong file is named before anybody connects. */
static enum err try_load(const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return ERR_MEMORY;
    enum err err = ERR_OK;
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        err = complain(certificate, "it holds no PEM certificate chain");
    else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        err = complain(key, "it holds no PEM key for the certificate");
    SSL_CTX_free(context);
    return err;
}

enum err tls_check_files(const char *certificate, const char *key)
{
    struct stat state;
    if (key == NULL || certificate == NULL)
        return complain(key == NULL ? certificate : key,
                        "a certificate and its key go together");
    if (stat(key, &state) != 0)
        return complain(key, "it cannot be read");
    if ((state.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return complain(key, "others than its owner may read it: chmod 600");
    return try_load(certificate, key);
}

int tls_harden(void *context)
{
    SSL_CTX *ssl = context;
    if (ssl == NULL)
        return 0;
    bool good = SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
                SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    return good ? 0 : -1;
}
