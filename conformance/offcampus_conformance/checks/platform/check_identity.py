"""Who calls: tokens, signatures, scopes, and what is not yours does not exist."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.expect import equal, header, member, problem, status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import View

P = "platform"


@check(
    "P-AUTH-001", profile=P, level="MUST", requirements=("M-10.1",),
    sends="GET /.well-known/oauth-authorization-server and /.well-known/jwks.json",
    remedy_en="Publish issuer, token_endpoint, jwks_uri and private_key_jwt in the metadata, and your keys under jwks_uri.",
    remedy_zh="在元数据中公布 issuer、token_endpoint、jwks_uri 与 private_key_jwt，并在 jwks_uri 公布公钥。",
)  # fmt: skip
def metadata_and_keys_are_published(view: View) -> None:
    """The token endpoint's metadata and the platform's public keys can be read by anybody."""
    metadata = status(view.step("op.getServerMetadata"), 200)
    body = metadata.json()
    for name in ("issuer", "token_endpoint", "jwks_uri"):
        member(body, name, metadata)
    if "private_key_jwt" not in body.get("token_endpoint_auth_methods_supported", []):
        deviate("private_key_jwt among the methods", body.get("token_endpoint_auth_methods_supported"), metadata)
    keys = status(view.step("op.getJwks"), 200)
    if not (keys.json() or {}).get("keys"):
        deviate("at least one key", keys.response_body, keys)
    if any("d" in key for key in keys.json()["keys"]):
        deviate("public keys only", "a private member d", keys)


@check(
    "P-AUTH-002", profile=P, level="MUST", requirements=("M-03.1", "M-10.1"),
    sends="POST /v1/token for every party",
    remedy_en="Accept a client assertion (RFC 7523) signed by a registered Ed25519 key; answer a token of at most 300 s.",
    remedy_zh="接受以已登记 Ed25519 密钥签名的客户端断言（RFC 7523），令牌有效期不超过300秒。",
)  # fmt: skip
def every_party_gets_a_token(view: View) -> None:
    """Each registered party signs in with private_key_jwt and gets a short-lived bearer token."""
    for name in ("vendor", "rival", "bank", "guardian_app", "authority", "other_bank", "far_authority"):
        answer = status(view.step(f"token.{name}"), 200)
        lifetime = member(answer.json(), "expires_in", answer)
        if not 0 < lifetime <= 300:
            deviate("expires_in of at most 300", lifetime, answer, where="/expires_in")


@check(
    "P-AUTH-003", profile=P, level="MUST", requirements=("M-10.1",), needs=("P-AUTH-002",),
    sends="client assertions with a wrong, a listed and an expired audience or time, and a jti twice",
    remedy_en="Compare aud with your issuer as one text; refuse lists, lifetimes over 60 s, expired ones, and a jti used before.",
    remedy_zh="将 aud 作为单一字符串与 issuer 比较；拒绝列表、超过60秒、过期以及重复使用的 jti。",
)  # fmt: skip
def unlawful_assertions_are_refused(view: View) -> None:
    """An assertion for another audience, with a list of audiences, expired, too long-lived or used twice gets no token."""
    status(view.step("token.jti_first"), 200)
    for name in ("wrong_audience", "audience_list", "expired", "too_long", "jti_again"):
        problem(view.step(f"token.{name}"), 401, "auth.client_assertion")


@check(
    "P-AUTH-004", profile=P, level="MUST", requirements=("M-19.1", "M-03.1"),
    sends="GET /v1/institutions without a token",
    remedy_en="Answer 401 auth.token_missing to every request without a token, but for the public document.",
    remedy_zh="除公开接口外，对无令牌请求一律返回401 auth.token_missing。",
)  # fmt: skip
def nothing_without_a_token(view: View) -> None:
    """A request without a token is refused."""
    problem(view.step("op.listInstitutions.caller.no_token"), 401, "auth.token_missing")


@check(
    "P-AUTH-005", profile=P, level="MUST", requirements=("M-19.1", "M-05.1", "M-06.2"), needs=("P-INST-001",),
    sends="a vendor approves its own course; a vendor confirms for the guardian",
    remedy_en="Decide by role: only authorities hold approval:write, only the parent terminal holds confirmation:write.",
    remedy_zh="按角色授权：仅主管部门有 approval:write，仅家长端有 confirmation:write。",
)  # fmt: skip
def roles_do_only_what_is_theirs(view: View) -> None:
    """A vendor can neither approve its own course nor confirm consumption for the guardian."""
    problem(view.step("course.approve_by_vendor"), 403, "auth.scope")
    problem(view.step("consumption.confirm_by_vendor"), 403, "auth.scope")


@check(
    "P-AUTH-006", profile=P, level="MUST", requirements=("M-19.1", "M-19.3"), needs=("P-INST-001",),
    sends="another vendor reads the institution, orders for it, and lists orders and events",
    remedy_en="Filter by ownership in every query: what is another party's is answered exactly as what does not exist.",
    remedy_zh="在每个查询中按归属过滤：他方资源与不存在的资源应答必须一致。",
)  # fmt: skip
def what_is_not_yours_does_not_exist(view: View) -> None:
    """Another institution's records cannot be read, referred to, listed, or told from missing ones."""
    foreign, missing = view.step("op.getInstitution.own.stranger"), view.step("op.getInstitution.found.unknown_id")
    ours, theirs = problem(foreign, 404, "resource.not_found"), problem(missing, 404, "resource.not_found")
    for name in ("title", "detail", "code"):
        equal(theirs.get(name), ours.get(name), name, foreign, missing)
    problem(view.step("order.foreign"), 422, "reference.not_found", "/institution_id")
    for label in ("orders.rival", "events.rival"):
        listed = status(view.step(label), 200)
        equal([], member(listed.json(), "items", listed), f"items of {label}", listed)


@check(
    "P-SIGN-001", profile=P, level="MUST", requirements=("M-10.1", "M-14.1"), needs=("P-INST-001",),
    sends="one write unsigned, stale, changed after signing, and with a nonce used before; the honest one as control",
    remedy_en="Verify RFC 9421 signatures on writes: coverage, Content-Digest over the received bytes, created within -300/+10 s, nonce once.",
    remedy_zh="对写操作验证 RFC 9421 签名：覆盖项、对收到字节的 Content-Digest、created 在 -300/+10 秒内、nonce 仅用一次。",
)  # fmt: skip
def wrong_signatures_are_refused(view: View) -> None:
    """An unsigned, stale, tampered or replayed write is refused, each for its own reason, while the honest one is taken."""
    status(view.step("op.createCampus"), 200, 201)
    for name, code in (
        ("unsigned", "signature.missing"), ("stale", "signature.expired"), ("changed", "signature.digest"),
        ("replayed", "signature.replayed"),
    ):  # fmt: skip
        problem(view.step(f"op.createCampus.sign.{name}"), 401, code)


@check(
    "P-PRIV-001", profile=P, level="MUST", requirements=("M-19.1", "M-19.3"), needs=("P-ORDER-001",),
    sends="a pupil with a unique name and number; then every answer and event of the run is searched for them",
    remedy_en="Answer pupils, guardians and staff masked; put no name, number or phone into events, lists or errors.",
    remedy_zh="学员、监护人与从业人员应脱敏返回；事件、列表、错误中不得含姓名、证件号或电话。",
)  # fmt: skip
def personal_data_never_come_back(view: View) -> None:
    """No answer and no event of the whole run holds the pupil's or the guardian's name, number or phone."""
    status(view.step("op.registerPupil"), 200, 201)
    for exchange in view.steps(""):
        leaked = exchange.facts.get("leaked", [])
        if leaked:
            deviate("no personal data in answers", f"{', '.join(leaked)} in the answer of {exchange.label}", exchange)


@check(
    "P-DISC-001", profile=P, level="MUST", requirements=("M-04.1", "M-10.1"),
    sends="GET /v1/capabilities",
    remedy_en="Say which version, profiles, limits and rule sets you implement.",
    remedy_zh="声明所实现的版本、类别、限额与规则集。",
)  # fmt: skip
def the_platform_says_what_it_implements(view: View) -> None:
    """The capability document names version, profiles, limits and the rules in force with their digest."""
    answer = status(view.step("op.getCapabilities"), 200)
    for name in ("spec_version", "profiles", "limits", "rules"):
        member(answer.json(), name, answer)
    member(answer.json()["rules"], "digest", answer)


@check(
    "P-HEAD-001", profile=P, level="SHOULD", requirements=("M-10.1",), needs=("P-INST-001",),
    sends="POST /v1/institutions",
    remedy_en="Send Location and ETag with 201, and Cache-Control: no-store with everything that is not public.",
    remedy_zh="201 应带 Location 与 ETag；非公开内容应带 Cache-Control: no-store。",
)  # fmt: skip
def created_resources_say_where_they_are(view: View) -> None:
    """201 comes with Location and ETag, and is not to be cached."""
    created = status(view.step("op.createInstitution"), 201)
    header(created, "location")
    header(created, "etag")
    if "no-store" not in header(created, "cache-control"):
        deviate("Cache-Control: no-store", created.header("cache-control"), created, where="header Cache-Control")


@check(
    "P-AUTH-007", profile=P, level="MUST", requirements=("M-10.1",), needs=("P-AUTH-002",),
    sends="client assertions in another client's name or subject, by another's key, of nobody, issued in the future, "
    "with a jti of two characters",
    remedy_en="In POST /v1/token take the client from iss, demand sub = iss, verify with that client's registered keys, refuse iat in the future and a jti of fewer than 8 characters.",
    remedy_zh="POST /v1/token 以 iss 确定客户端，要求 sub 与 iss 一致，用其登记公钥验证，拒绝未来的 iat 与不足8字符的 jti。",
)  # fmt: skip
def nobody_signs_in_as_another(view: View) -> None:
    """An assertion that is not wholly the client's own gets no token."""
    for name in ("another_s_name", "another_s_subject", "another_s_key", "unknown_client", "early", "short_jti"):
        problem(view.step(f"token.{name}"), 401, "auth.client_assertion")


@check(
    "P-AUTH-008", profile=P, level="MUST", requirements=("M-19.1", "M-10.1"), needs=("P-AUTH-002",),
    sends="POST /v1/token with a scope that the role holds; the token is then used for what it does not hold",
    remedy_en="Give a token for the scopes that were asked for and that the role holds, name them in `scope`, and let it do nothing else.",
    remedy_zh="令牌仅含所申请且角色具备的权限，在 scope 中列明，且不得用于其他操作。",
)  # fmt: skip
def a_token_holds_what_was_asked_for(view: View) -> None:
    """A token that was asked for with one scope names this one and no other."""
    for exchange in view.steps("token.vendor."):
        wanted = exchange.label.rpartition(".")[2].replace("_", ":")
        answer = status(exchange, 200)
        equal(wanted, member(answer.json(), "scope", answer), "scope", answer)


@check(
    "P-AUTH-009", profile=P, level="MUST", requirements=("M-06.2", "M-05.1"), needs=("P-INST-001",),
    sends="the county approves an online institution; another province's authority approves the county's",
    remedy_en="In POST /v1/institutions/{id}/approval decide by region and delivery: offline by the county (403 auth.region else), what lies elsewhere does not exist.",
    remedy_zh="POST /v1/institutions/{id}/approval 按区域与培训形式判定：线下由县区审批（否则403 auth.region），辖区外视为不存在。",
)  # fmt: skip
def authorities_approve_what_is_theirs(view: View) -> None:
    """Online institutions are the province's; another province's are nobody's that one could see."""
    problem(view.step("institution.online_by_county"), 403, "auth.region")
    problem(view.step("institution.approve_from_afar"), 404, "resource.not_found")


@check(
    "P-HTTP-001", profile=P, level="MUST", requirements=("M-10.1",),
    sends="DELETE of a read-only path, and a path that the contract does not have",
    remedy_en="Answer 405 method.not_allowed with Allow, and 404 resource.not_found, both as problem documents.",
    remedy_zh="对不允许的方法返回405 method.not_allowed 并带 Allow，对未知路径返回404 resource.not_found，均为问题文档。",
)  # fmt: skip
def other_methods_and_paths_are_refused(view: View) -> None:
    """Another method is 405 and says which are allowed; another path is 404; both are problems of the catalogue."""
    wrong = view.step("method.wrong")
    problem(wrong, 405, "method.not_allowed")
    equal(True, "GET" in header(wrong, "allow"), "GET among Allow", wrong)
    problem(view.step("path.unknown"), 404, "resource.not_found")


@check(
    "P-LANG-001", profile=P, level="MUST", requirements=("M-QA.7", "M-10.1"), needs=("P-INST-001",),
    sends="one wrong query with Accept-Language en, and with zh-CN",
    remedy_en="Write title, detail and remedy of a problem in the language asked for (zh-CN unless en), say it in Content-Language; never translate codes.",
    remedy_zh="按 Accept-Language 以中文（默认）或英文给出 title、detail、remedy，并以 Content-Language 标明；代码不翻译。",
)  # fmt: skip
def problems_speak_the_language_that_was_asked_for(view: View) -> None:
    """English and Chinese differ in title and remedy, and not in code."""
    english, chinese = view.step("language.en"), view.step("language.zh")
    ours, theirs = problem(english, 400, "request.query"), problem(chinese, 400, "request.query")
    equal(True, header(english, "content-language").startswith("en"), "Content-Language en", english)
    equal(True, header(chinese, "content-language").startswith("zh"), "Content-Language zh", chinese)
    for name in ("title", "remedy"):
        if not str(member(ours, name, english)).isascii() or str(member(theirs, name, chinese)).isascii():
            deviate(f"{name} in English and in Chinese", (ours[name], theirs[name]), english, chinese, where=f"/{name}")


@check(
    "P-PUB-001", profile=P, level="MUST", requirements=("M-02.1", "M-08.1"), needs=("P-INST-002",),
    sends="the public list before and after the approval",
    remedy_en="Show in GET /v1/public/institutions what is approved, and nothing before; no contact, person or certificate of it.",
    remedy_zh="GET /v1/public/institutions 仅公示已批准机构，且不含联系人、人员与证件信息。",
)  # fmt: skip
def the_public_sees_what_is_approved(view: View) -> None:
    """Before the approval the institution is not on the public list, after it it is."""
    before, after = (
        status(view.step("public.before_approval"), 200),
        status(view.step("op.listPublicInstitutions"), 200),
    )
    equal([], member(before.json(), "items", before), "items before the approval", before)
    equal(1, len(member(after.json(), "items", after)), "number of items after it", after)
    for name in ("contact", "qualification", "uscc_certificate", "legal_person"):
        if name in after.json()["items"][0]:
            deviate("nothing of persons or certificates", name, after, where=f"/items/0/{name}")


@check(
    "P-SUB-001", profile=P, level="MUST", requirements=("M-10.1", "M-19.1"), needs=("P-ANSWER-createSubscription",),
    sends="subscriptions to plain http, to private, link-local, mapped and octal addresses, and with a user in the address",
    remedy_en="In POST /v1/subscriptions accept https to public hosts only; unwrap mapped, octal and translated addresses before you judge; point at /url.",
    remedy_zh="POST /v1/subscriptions 仅接受指向公网主机的 https 地址；判定前还原映射、八进制等写法；violation 指向 /url。",
)  # fmt: skip
def webhooks_go_to_public_addresses_only(view: View) -> None:
    """No subscription makes the platform call into a private network."""
    for name in ("plain_http", "private", "link_local", "mapped", "octal", "user"):
        problem(view.step(f"subscription.{name}"), 422, "schema.invalid", "/url")


@check(
    "P-SUB-002", profile=P, level="MUST", requirements=("M-10.1",), needs=("P-ANSWER-deleteSubscription",),
    sends="GET of a subscription that was ended",
    remedy_en="End a subscription in DELETE /v1/subscriptions/{id}: it is gone for its owner at once.",
    remedy_zh="DELETE /v1/subscriptions/{id} 后该订阅对其所有者即不存在。",
)  # fmt: skip
def an_ended_subscription_is_gone(view: View) -> None:
    """What was deleted is not found."""
    status(view.step("op.deleteSubscription"), 204)
    problem(view.step("subscription.gone"), 404, "resource.not_found")
