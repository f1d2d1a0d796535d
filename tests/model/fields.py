"""The fields that whoever sees a thing sees, type by type; what is not for all of them stands in HIDDEN of the service's table."""

from __future__ import annotations

AUDIT = {
    "AuditActor": "service user",
    "AuditEntry": "id at act actor kind about fields reason purpose requestId bySupport",
}

FIELDS: dict[str, dict[str, str]] = {
    "directory": {
        **AUDIT,
        "Address": "line1 line2 city region postalCode",
        "ApprovedProvider": "providerId approved provider code message remedy",
        "ApprovedProviders": "approved refused results",
        "CallCentreChange": "kind count effectiveFrom effectiveUntil acceptingNewPatients planIdsAdded"
        " planIdsEnded office fromOffice survivor",
        "CallCentreItem": "id kind toldAt changes subjects acknowledgedAt acknowledgedBy escalatedAt provider"
        " office allowedActions",
        "ChangesAcknowledged": "acknowledged items",
        "Coordinates": "latitude longitude",
        "DirectorySettings": "secondApprover suggestGroupsFrom version",
        "DirectoryTask": "id kind raisedAt closedAt closedBecause reason version toDo provider providers group"
        " office allowedActions",
        "Factor": "name score weight reason",
        "Group": "id name state maySend mayReceive version offices providers allowedActions"
        " organization",
        "GroupRemovalPreview": "openReferrals token group takers referrals counts",
        "GroupSuggestion": "id classification raisedAt closedAt closedBecause version office specialty providers"
        " allowedActions",
        "GroupTaker": "officeIds acceptingAt provider",
        "ImportProgress": "digest kind state keptAt finishedAt",
        "ImportedProviders": "added known refused rows",
        "ImportedRow": "row status providerId code field message ignoredSpecialtyCodes",
        "ImportedSpecialties": "added changed",
        "ImportedZips": "changed officesLocated",
        "ItemProblem": "id field code message",
        "NotedNpi": "row status providerId replacedByProviderId code message",
        "NotedNpis": "rows",
        "Office": "id name phone timeZone goLiveOn groupOnly state closesOn cutOffOn version address"
        " coordinates locatedBy warnings hours openNow placements groups allowedActions"
        " organization",
        "OfficeClosurePreview": "closesOn openReferrals lastOffice token office placements orphans groups"
        " strandedGroups staff referrals lateAppointments plans",
        "OfficeInTheWay": "officeId referralIds",
        "OfficeReadiness": "ready confirmedStaff approvedProviders reasons checklist",
        "OfficeWarning": "code message remedy",
        "OpenReferralsCounted": "status side officeId count",
        "OpeningHours": "weekday opens closes",
        "Organization": "id providers offices groups",
        "PendingChange": "firstName lastName npi credential phone specialtyCodes languages gender email",
        "Placement": "id effectiveFrom effectiveUntil acceptingNewPatients version provider office state"
        " allowedActions",
        "PlanRowAtStake": "participationId providerId officeId effectiveUntil plan",
        "Provider": "id npi firstName lastName name credential phone languages gender npiStatus"
        " npiDeactivatedOn npiReplacedBy state version specialties placements groups"
        " reverifyDue allowedActions organization",
        "ProviderRemovalPreview": "openReferrals token provider placements groups emptiedGroups referrals counts plans",
        "ReadinessItem": "code satisfied toDo",
        "ReadinessReason": "code message",
        "ReceiverSuggestions": "on receivers widening insuranceUnknown insuranceHeardAt placeUnknown wideningReason",
        "ReferralInTheWay": "referralId status side officeId appointmentAt referral",
        "RosterAttestation": "at by users stands",
        "Specialty": "code name grouping classification specialization",
        "SuggestedReceiver": "distanceKm planCertainty acceptedPlanIds planVerifiedOn planStale"
        " acceptingNewPatients dataConfirmedOn score provider group office factors",
    },
    "identity": {
        **AUDIT,
        "Advisory": "code message clientAdmins",
        "CandidateDismissed": "office",
        "DeactivationPreview": "user offices claimedReferrals claimedIds groups partners token",
        "Grant": "role office provider grantedAt expiresAt",
        "GroupLeft": "group name others",
        "IdentityProved": "until",
        "NewPasswordRequested": "minutes",
        "NoticePreference": "kind delivery byDefault optional",
        "NoticePreferenceChanged": "preferences",
        "OfficeAdminCandidate": "reasons score daysSignedIn offices userId user",
        "OfficeLeft": "office uncovered openReferrals",
        "OfficeWithoutAdmin": "office candidates",
        "Organization": "id name timeZone addedAt version allowedActions",
        "OrganizationAdded": "organization clientAdmin advisory",
        "OrganizationChoice": "id name",
        "Partner": "id name publicKey durable addedAt removedAt version allowedActions",
        "PartnerAdded": "partner seed",
        "PartnerLeft": "id name",
        "PasskeyStarted": "options",
        "PasswordSet": "userId email",
        "ProofStarted": "challenge",
        "RecoveryCodesMade": "recoveryCodes",
        "RoleCopyPreview": "added leftOut token",
        "RoleGranted": "user advisory",
        "RoleLeftOut": "role because",
        "RoleRevoked": "user advisory",
        "RolesCopied": "user",
        "SecondFactor": "id kind name addedAt usedAt",
        "SecondFactorAdded": "factor recoveryCodes signedIn",
        "SecondFactorChallenge": "kinds passkeyOptions endsAt",
        "SecondFactors": "factors recoveryCodesLeft required",
        "SecondFactorsReset": "userId",
        "SignInDomain": "domain verifiedAt",
        "SignInRules": "secondFactorRequired version",
        "SignInService": "issuer clientId only domains redirectUris version changedAt",
        "SignInServiceRemoved": "organizationId",
        "SignedIn": "accessToken expiresAt refreshToken stage sessionEndsAt userId organizationId"
        " challenge",
        "SignedOut": "sessionId",
        "SigningKeysRotated": "kid signsFrom othersEndAt",
        "SingleSignOnStarted": "url secret endsAt",
        "SupportAccess": "id reason beganAt endsAt endedAt endedBecause organization name live",
        "SupportRequest": "id code verb subjectId state asked openedAt takenAt answeredAt answer version"
        " organization askers allowedActions",
        "SupportRequestAsker": "askedAt user",
        "TemporaryPasswordReset": "userId",
        "TotpStarted": "secret uri",
        "User": "id name title version status grants organization allowedActions",
        "UserDeactivated": "user advisory",
        "UserInvited": "user advisory",
        "UserReactivated": "user advisory",
        "Viewer": "id name email support user organization allowedActions",
        "WantedRole": "role office provider expiresAt",
    },
    "insurance": {
        **AUDIT,
        "AttestationOutcome": "itemId item problem",
        "AttestationProblem": "code message remedy moved",
        "Campaign": "id kind year reason openedAt dueOn escalatedOn closedAt closedBecause version"
        " assignedTo payers plans progress items allowedActions",
        "CampaignEvidence": "csv items hasNextPage endCursor",
        "CampaignItem": "id state settledAt version provider office attestedBy participations token"
        " allowedActions",
        "CampaignItemsAttested": "outcomes attested",
        "CampaignProgress": "total open attested dropped",
        "CopyItem": "sourceId effectiveFrom effectiveUntil outcome participationId provider office plan",
        "CopyPreview": "total added items token",
        "InsurancePlan": "id name productType selfPay effectiveFrom effectiveUntil formerNames version"
        " successor payer",
        "MoveToReview": "effectiveFrom provider fromOffice toOffice",
        "Office": "id participations",
        "OrganizationTouched": "organizationId participations",
        "Participation": "id effectiveFrom effectiveUntil source lastVerifiedOn version plan provider office"
        " certainty verifiedDaysAgo verifyBy copiedFrom allowedActions",
        "ParticipationCopy": "id total done startedAt finishedAt items",
        "ParticipationsAdded": "participations",
        "ParticipationsVerified": "outcomes verified",
        "Payer": "id name identifiers formerNames version",
        "PayerIdentifier": "system value",
        "PlanAnswer": "planId state certainty verifiedOn verifiedDaysAgo participation provider office"
        " successor",
        "PlanEndPreview": "endsOn participations organizations token plan successor",
        "PlanEnding": "id endsOn total done finishedAt plan successor",
        "PlanProblem": "planId code message remedy participationId",
        "Provider": "id participations",
        "Verification": "on at means effectiveUntil by",
        "VerificationOutcome": "participationId problem participation",
        "VerificationProblem": "code message remedy",
        "VerificationStanding": "verified stale unverified managerMissing",
    },
    "referrals": {
        **AUDIT,
        "AccessExplanation": "sight reasons actions",
        "AccessReason": "code message office",
        "ActionExplanation": "action allowed code message remedy",
        "AlternativeReceiver": "officeId providerId groupId name",
        "Appointment": "id at state noShowCode",
        "BulkReferralItem": "referralId outcome",
        "BulkReferrals": "done refused items",
        "Group": "id",
        "Office": "id",
        "OfficeOpenWork": "office total",
        "OffboardingCase": "id state openedAt closedAt closedAs allowedActions provider progress items",
        "OffboardingItem": "referralId status side appointmentAt office referral targets",
        "OffboardingOfficeProgress": "office total remaining",
        "OffboardingProgress": "total remaining byOffice",
        "OffboardingTarget": "name planAcceptance office provider group",
        "OpenWork": "total byOffice referrals",
        "OutcomeReport": "text attachedAt",
        "Patient": "givenName familyName bornOn phone postalCode memberNumber clinicalNote",
        "PatientKeyRenewed": "number",
        "PlanAcceptance": "state asked accepting",
        "Provider": "id",
        "Referral": "id version status sight sides allowedActions specialtyCode urgency authorization hop"
        " createdAt sentAt changedAt callbackAt appointmentAt reasonCode outcome loopClosedAt"
        " sendingOrganization sendingOffice sendingProvider sendingGroup receivingOrganization"
        " receivingOffice receivingProvider receivingGroup plan planAcceptance claimedBy dueAt"
        " overdue appointments hops unreadMessages archived",
        "ReferralHop": "hop office provider group receivedAt leftAt declinedCode",
        "ReferralMessage": "id side saidAt text by",
        "ReferralReason": "kind code text",
        "ReferralStep": "version happened status at by comment",
        "ReferralTargets": "version acknowledgeDays decideDays passedAppointment",
        "WorkQueueChange": "happened referral",
        "WorkQueueCounts": "requiresReview sent received archive",
    },
    "reporting": {
        **AUDIT,
        "BacklogOfAge": "fromDays toDays open",
        "DeclinedForReason": "reasonCode declined rate",
        "Group": "id progressReport",
        "GroupProgressReport": "group weekOf startsAt endsAt asOf dataAsOf figures watermark weekBefore explanations"
        " restated differences published chart export",
        "Guide": "id kind state version published unread acknowledgedAt allowedActions",
        "GuideReader": "user offices confirmed unread readNumber readAt",
        "GuideVersion": "number title text html roles offices writtenAt publishedAt",
        "MedianHours": "hours referrals",
        "PublishedReport": "id version publishedAt dataAsOf figures watermark reviewedAt reviewedBy"
        " allowedActions",
        "ReportChart": "title description svg columns rows",
        "ReportChartRow": "cells",
        "ReportDifference": "number before now added removed",
        "ReportDriver": "dimension key before now",
        "ReportExport": "fileName mediaType content",
        "ReportExplanation": "number before now sentence drivers",
        "ReportFigures": "opening received reopened reassignedIn completed cancelled declined forwardedOut"
        " reassignedOut closing sent acknowledged scheduled appointmentsPassed noShows overdue"
        " unworked firstActions firstScheduled appointmentsOver completedSeen loopsClosed"
        " outcomesAttached sentWithKnownPlan sentOutsidePlan noShowRate declineRate"
        " loopClosure leakage declinedByReason backlogByAge toFirstAction toSchedule"
        " toCompletion toAppointment reconciles unexplainedReferralIds",
        "ReportNumber": "count referralIds",
        "ReportRate": "part whole percent",
    },
}
