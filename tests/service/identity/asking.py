"""The documents with which tests ask identity."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

PROBLEM = "... on Problem { code message field remedy }"
USER_FIELDS = """id name email status version invitationHoursLeft invitationMail allowedActions
    grants { role office { id } } organization { id name }"""
CHANGED = f"user {{ {USER_FIELDS} }} advisory {{ code message clientAdmins }}"
SIGNED_IN = "... on SignedIn { accessToken refreshToken expiresAt stage sessionEndsAt userId organizationId }"

SIGN_IN = f"""mutation($input: SignInInput!) {{ signIn(input: $input) {{ __typename {PROBLEM} {SIGNED_IN}
    ... on RateLimitedProblem {{ retryAfterSeconds }}
    ... on ChooseOrganizationProblem {{ organizations {{ id name }} }} }} }}"""
REFRESH = f"""mutation($input: RefreshSessionInput!) {{ refreshSession(input: $input) {{
    __typename {PROBLEM} {SIGNED_IN} }} }}"""
SIGN_OUT = f"mutation {{ signOut {{ __typename {PROBLEM} ... on SignedOut {{ sessionId }} }} }}"
CONFIRM = f"""mutation($input: ConfirmAccountInput!) {{ confirmAccount(input: $input) {{
    __typename {PROBLEM} ... on PasswordSet {{ userId email }} }} }}"""
SET_PASSWORD = f"""mutation($input: SetPasswordInput!) {{ setPassword(input: $input) {{
    __typename {PROBLEM} ... on PasswordSet {{ userId email }} }} }}"""
ADD_ORGANIZATION = f"""mutation($input: AddOrganizationInput!) {{ addOrganization(input: $input) {{
    __typename {PROBLEM} ... on OrganizationAdded {{ organization {{ id name timeZone version }}
    clientAdmin {{ {USER_FIELDS} }} advisory {{ code clientAdmins }} }} }} }}"""
INVITE = f"""mutation($input: InviteUserInput!) {{ inviteUser(input: $input) {{
    __typename {PROBLEM} ... on UserInvited {{ {CHANGED} }} }} }}"""
RESEND = f"""mutation($input: ResendInvitationInput!) {{ resendInvitation(input: $input) {{
    __typename {PROBLEM} ... on User {{ {USER_FIELDS} }} }} }}"""
DEACTIVATE = f"""mutation($input: DeactivateUserInput!) {{ deactivateUser(input: $input) {{
    __typename {PROBLEM} ... on UserDeactivated {{ {CHANGED} }} ... on SoleCoverageProblem {{ officeIds }}
    ... on StalePreviewProblem {{ moved }} }} }}"""
PREVIEW = """query($id: ID!) { deactivationPreview(userId: $id) { user { id version } token claimedReferrals claimedIds
    offices { office { id } uncovered openReferrals } plansKeptAt { id } groups { group { id } name others } partners { id name } otherReportReaders } }"""
REACTIVATE = f"""mutation($input: ReactivateUserInput!) {{ reactivateUser(input: $input) {{
    __typename {PROBLEM} ... on UserReactivated {{ {CHANGED} }} }} }}"""
PROPOSED = """query($id: ID!) { user(id: $id) { id version status proposedRoles { role office { id } expiresAt } } }"""
TITLE = f"""mutation($input: ChangeUserTitleInput!) {{ changeUserTitle(input: $input) {{
    __typename {PROBLEM} ... on User {{ title {USER_FIELDS} }} }} }}"""
BOUNCE = f"""mutation($input: ReportBounceInput!) {{ reportBounce(input: $input) {{
    __typename {PROBLEM} ... on User {{ {USER_FIELDS} }} }} }}"""
UNCONFIRMED = f"""query($first: Int, $after: String) {{ unconfirmedUsers(first: $first, after: $after) {{
    edges {{ node {{ invitedAt {USER_FIELDS} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
COPY_PREVIEW = """query($from: ID!, $to: ID!) { roleCopyPreview(fromUserId: $from, toUserId: $to) { token
    added { role office { id } expiresAt } leftOut { because role { role } } } }"""
COPY = f"""mutation($input: CopyRolesInput!) {{ copyRoles(input: $input) {{
    __typename {PROBLEM} ... on StalePreviewProblem {{ moved }} ... on RolesCopied {{ user {{ {USER_FIELDS} }} }} }} }}"""
REQUEST_PASSWORD = f"""mutation($input: RequestNewPasswordInput!) {{ requestNewPassword(input: $input) {{
    __typename {PROBLEM} ... on RateLimitedProblem {{ retryAfterSeconds }} ... on NewPasswordRequested {{ minutes }} }} }}"""
NEW_PASSWORD = f"""mutation($input: SetNewPasswordInput!) {{ setNewPassword(input: $input) {{
    __typename {PROBLEM} ... on PasswordSet {{ userId email }} }} }}"""
CANDIDATES = """{ officesWithoutAdmin { office { id } candidates { userId reasons score daysSignedIn offices user { name } } } }"""
DISMISS = f"""mutation($input: DismissCandidateInput!) {{ dismissCandidate(input: $input) {{
    __typename {PROBLEM} ... on CandidateDismissed {{ office {{ id }} }} }} }}"""
ADVICE = "query($id: ID) { organization(id: $id) { clientAdminAdvice { code clientAdmins } } }"
RESET = f"""mutation($input: ResetTemporaryPasswordInput!) {{ resetTemporaryPassword(input: $input) {{
    __typename {PROBLEM} ... on TemporaryPasswordReset {{ userId }} }} }}"""
GRANT = f"""mutation($input: GrantRoleInput!) {{ grantRole(input: $input) {{
    __typename {PROBLEM} ... on RoleGranted {{ {CHANGED} }} }} }}"""
REVOKE = f"""mutation($input: RevokeRoleInput!) {{ revokeRole(input: $input) {{
    __typename {PROBLEM} ... on RoleRevoked {{ {CHANGED} }} ... on SoleCoverageProblem {{ officeIds }} }} }}"""
ADD_PARTNER = f"""mutation($input: AddPartnerInput!) {{ addPartner(input: $input) {{ __typename {PROBLEM}
    ... on PartnerAdded {{ seed partner {{ id name publicKey durable version allowedActions }} }} }} }}"""
REMOVE_PARTNER = f"""mutation($input: RemovePartnerInput!) {{ removePartner(input: $input) {{
    __typename {PROBLEM} ... on Partner {{ id version removedAt allowedActions }} }} }}"""

USER = f"query($id: ID!, $here: ID) {{ user(id: $id, organizationId: $here) {{ {USER_FIELDS} }} }}"
USERS = f"""query($here: ID, $first: Int, $after: String) {{
    users(organizationId: $here, first: $first, after: $after) {{
        edges {{ node {{ {USER_FIELDS} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
VIEWER = f"""{{ viewer {{ id name email support allowedActions user {{ {USER_FIELDS} }}
    organization {{ id name allowedActions }} }} }}"""
ENTITIES = """query($refs: [_Any!]!) { _entities(representations: $refs) { __typename
    ... on User { id name email } ... on Organization { id name } } }"""


def organization(name: str, email: str, time_zone: str = "America/New_York") -> dict[str, Any]:
    """The input that opens an organization."""
    return {
        "name": name,
        "timeZone": time_zone,
        "clientAdmin": {"email": email, "name": "Ada Admin"},
        "idempotencyKey": str(uuid4()),
    }


def role(name: str, office: UUID | None = None) -> dict[str, object]:
    """A role as it is asked for."""
    return {"role": name, "officeId": str(office) if office else None}


def provider(provider_id: UUID) -> dict[str, object]:
    """The role of a provider."""
    return {"role": "PROVIDER", "providerId": str(provider_id)}


def about(user: dict[str, Any], **more: object) -> dict[str, Any]:
    """The input of a change to a user as it was seen."""
    return {"userId": user["id"], "expectedVersion": user["version"], **more}
