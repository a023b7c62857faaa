package views

// SignInRefusal is the sentence that the sign-in page shows for the code of a
// refused sign-in through a service, "" for no code. What is not known says only
// that it did not work, so that an address made by others cannot put words here.
func SignInRefusal(code string) string {
	switch code {
	case "":
		return ""
	case "google_not_configured", "oidc_not_configured":
		return "Sign-in with this service is not set up here. Sign in another way, or ask an administrator."
	case "no_email":
		return "The service gave no e-mail address of yours. Allow it to when it asks, or use an account that has one."
	case "email_not_verified":
		return "The service does not vouch for your e-mail address. Confirm the address there, then try again; or sign in another way."
	case "domain_not_allowed":
		return "Accounts of this domain may not sign in here. Use the account of your company."
	case "not_invited":
		return "Nobody with this address has an account here. Ask an administrator to invite you."
	case "deactivated":
		return "This account is deactivated. An administrator can activate it again."
	case "not_in_allowed_group":
		return "Your account is in no group that may use Agnes. Ask whoever looks after accounts in your company."
	case "identity_changed":
		return "Your address is known here by another account of the same service. If you are the same person, ask an administrator to unlink the old account."
	case "provider_unavailable":
		return "The service that you sign in with does not answer. Try again in a minute, or sign in another way."
	case "too_many_attempts":
		return "Too many attempts to sign in from this address. Wait a minute, then try again."
	case "access_denied":
		return "The service did not let you go on, or you stopped there. Nobody was signed in."
	case "sign_in_expired":
		return "This sign-in took longer than ten minutes, was used already, or cookies are switched off. Begin again here."
	case "not_fresh":
		return "The service did not ask you to sign in again. Sign out there, then try again."
	}
	return "The sign-in was not completed. Nobody was signed in. Try again; if it fails again, an administrator finds the cause in the server's log."
}
