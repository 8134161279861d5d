// Uses every operation through the package that openapi-generator makes of the document.
package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"os"
	"regexp"

	"example.com/client/tickets"
)

var (
	ctx    = context.WithValue(context.Background(), tickets.ContextAccessToken, os.Getenv("KEY"))
	client = newClient()
	cursor = regexp.MustCompile(`[?&]cursor=([^&>]+)[^>]*>; rel="next"`)
)

func newClient() *tickets.APIClient {
	configuration := tickets.NewConfiguration()
	configuration.Servers = tickets.ServerConfigurations{{URL: os.Getenv("SERVICE")}}
	return tickets.NewAPIClient(configuration)
}

func check(holds bool, what string, err error) {
	if !holds || err != nil {
		log.Fatal(what, ": ", err)
	}
}

// problem returns the problem document of a response that must have this status.
func problem(err error, response *http.Response, status int) *tickets.Problem {
	failed, ok := err.(*tickets.GenericOpenAPIError)
	check(ok && response.StatusCode == status, "status "+http.StatusText(status), nil)
	described, ok := failed.Model().(tickets.Problem)
	check(ok && described.GetStatus() == int32(status), failed.Error(), nil)
	return &described
}

func main() {
	operating()
	ids := create()
	walk(ids)
	change(ids[0])
	discuss(ids[0])
	follow(ids[0])
	files()
	figures()
	subscribe()
	remove(ids[0])
}

func operating() {
	alive, _, err := client.OperatingAPI.IsAlive(ctx).Execute()
	check(alive.GetStatus() == "alive", "alive", err)
	ready, _, err := client.OperatingAPI.IsReady(ctx).Execute()
	check(ready.GetStatus() == "ready", "ready", err)
	metrics, _, err := client.OperatingAPI.ScrapeMetrics(ctx).Execute()
	check(len(metrics) > 0, "metrics", err)
	document, _, err := client.OperatingAPI.ReadDocument(ctx).Execute()
	check(document["openapi"] == "3.1.0", "document", err)
	docs, _, err := client.OperatingAPI.ShowDocs(ctx).Execute()
	check(len(docs) > 0, "docs", err)
	page, _, err := client.OperatingAPI.ShowPage(ctx, "guide").Execute()
	check(len(page) > 0, "page", err)
}

func create() []string {
	var ids []string
	for _, title := range []string{"Charged twice", "Cannot log in", "Slow", "Late", "Broken"} {
		input := tickets.NewTicketInput(title, "It happened this morning.")
		input.SetPriority("high")
		ticket, response, err := client.TicketsAPI.CreateTicket(ctx).TicketInput(*input).IdempotencyKey(title[:4]).Execute()
		check(ticket.GetPriority() == tickets.HIGH && response.StatusCode == 201, "created", err)
		triage := ticket.GetTriage()
		check(triage.Priority.GetSource() == "caller" && triage.Category.GetConfidence() > 0, "triage", nil)
		again, response, err := client.TicketsAPI.CreateTicket(ctx).TicketInput(*input).IdempotencyKey(title[:4]).Execute()
		check(again.GetId() == ticket.GetId() && response.Header.Get("Idempotent-Replayed") == "true", "repeated", err)
		ids = append(ids, ticket.GetId())
	}
	invalid := tickets.NewTicketInput(" ", "")
	_, response, err := client.TicketsAPI.CreateTicket(ctx).TicketInput(*invalid).Execute()
	errors := problem(err, response, 400).Errors
	check(len(errors) == 2 && errors[0].GetPointer() == "#/title" && errors[0].GetCode() == "empty", "all errors", nil)
	_, response, err = client.TicketsAPI.CreateTicket(context.Background()).TicketInput(*invalid).Execute()
	check(problem(err, response, 401).GetType() == "/docs/errors#unauthorized", "no key", nil)
	return ids
}

func walk(ids []string) {
	seen := map[string]bool{}
	request := client.TicketsAPI.ListTickets(ctx).Limit(2).Status([]string{"open", "in_progress"}).Count(true).CreatedSince("2026-01-01")
	for {
		page, response, err := request.Execute()
		check(len(page) > 0 && response.Header.Get("X-Total-Count") == "5", "page", err)
		for _, ticket := range page {
			seen[ticket.GetId()] = true
		}
		next := cursor.FindStringSubmatch(response.Header.Get("Link"))
		if next == nil {
			break
		}
		request = request.Cursor(next[1])
	}
	check(len(seen) == len(ids), "walk", nil)
	_, response, err := client.TicketsAPI.ListTickets(ctx).Sort("oldest").Execute()
	check(problem(err, response, 400).Errors[0].GetParameter() == "sort", "parameter", nil)
}

func change(id string) {
	_, response, err := client.TicketsAPI.ReadTicket(ctx, id).Execute()
	tag := response.Header.Get("ETag")
	check(tag == `"1"`, "tag", err)
	_, response, _ = client.TicketsAPI.ReadTicket(ctx, id).IfNoneMatch(tag).Execute()
	check(response.StatusCode == 304, "not modified", nil)
	status := tickets.NewTicketChange()
	status.SetStatus("resolved")
	changed, _, err := client.TicketsAPI.ChangeTicket(ctx, id).TicketChange(*status).IfMatch(tag).Execute()
	check(changed.GetStatus() == tickets.RESOLVED && changed.GetVersion() == 2, "changed", err)
	_, response, err = client.TicketsAPI.ChangeTicket(ctx, id).TicketChange(*status).IfMatch(tag).Execute()
	check(problem(err, response, 412).GetType() == "/docs/errors#version-mismatch", "stale", nil)
	history, _, err := client.TicketsAPI.ReadHistory(ctx, id).Execute()
	check(len(history) == 2 && history[1].Changes.Status.GetTo() == "resolved", "history", err)
}

func discuss(id string) {
	input := tickets.NewCommentInput("We have refunded it.")
	input.SetAuthor("bob")
	comment, response, err := client.CommentsAPI.AddComment(ctx, id).CommentInput(*input).IfMatch(`"2"`).Execute()
	check(comment.GetAuthor() == "bob" && !comment.GetInternal() && response.StatusCode == 201, "comment", err)
	comments, _, err := client.CommentsAPI.ListComments(ctx, id).Internal(false).Sort("-created_at").Execute()
	check(len(comments) == 1 && comments[0].GetBody() == "We have refunded it.", "comments", err)
	found, _, err := client.TicketsAPI.ListTickets(ctx).Search("refunded").SearchIn("comments").Execute()
	check(len(found) == 1 && found[0].GetId() == id, "search in comments", err)
	one, _, err := client.CommentsAPI.ReadComment(ctx, id, comment.GetId()).Execute()
	check(one.GetCreatedAt() == comment.GetCreatedAt(), "one comment", err)
	responses, _, err := client.StatisticsAPI.ReadResponseTimes(ctx).Execute()
	check(responses.GetCount() == 1, "response times", err)
	response, err = client.CommentsAPI.DeleteComment(ctx, id, comment.GetId()).Execute()
	check(response.StatusCode == 204, "comment deleted", err)
	history, _, err := client.TicketsAPI.ReadHistory(ctx, id).Execute()
	check(len(history) == 4 && history[2].Comment.GetId() == comment.GetId(), "history of a comment", err)
}

func follow(id string) {
	events, _, err := client.EventsAPI.ListEvents(ctx).Limit(500).Wait(1).Execute()
	version := int32(0)
	for _, event := range events {
		if event.GetTicketId() == id {
			version++
			check(event.GetVersion() == version, "order", nil)
		}
	}
	check(version == 4, "events", err)
	_, response, err := client.EventsAPI.ListEvents(ctx).After("latest").Execute()
	check(response.Header.Get("X-Last-Event-Id") == events[len(events)-1].GetId(), "end of the feed", err)
	_, response, err = client.EventsAPI.ListEvents(ctx).After("ffffffff-1").Execute()
	check(problem(err, response, 410).GetType() == "/docs/errors#events-gone", "gone", nil)
}

func files() {
	imported, _, err := client.FilesAPI.ImportTickets(ctx).Body(file(`{"title": "Old", "description": "From a file."}`)).Execute()
	check(imported.GetImported() == 1, "imported", err)
	_, response, err := client.FilesAPI.ImportTickets(ctx).Body(file("{\"title\": \"Old\"}\n{\n")).Execute()
	invalid := problem(err, response, 400)
	check(invalid.GetFaultyLines() == 2 && invalid.Errors[1].GetLine() == 2, "lines", nil)
	for _, format := range []string{"csv", "ndjson"} {
		exported, response, err := client.FilesAPI.ExportTickets(ctx).Format(format).Search("from a file").Execute()
		check(response.StatusCode == 200, "exported", err)
		content, err := io.ReadAll(exported)
		check(regexp.MustCompile("Old").Match(content), "content", err)
		check(os.Remove(exported.Name()) == nil, "temporary file", nil)
	}
}

func file(content string) *os.File {
	made, err := os.CreateTemp(".", "import")
	check(made != nil, "file", err)
	_, err = made.WriteString(content)
	check(true, "written", err)
	_, err = made.Seek(0, io.SeekStart)
	check(true, "rewound", err)
	return made
}

func figures() {
	totals, _, err := client.StatisticsAPI.ReadStatistics(ctx).Priority([]string{"high"}).Execute()
	check(totals.GetTotalTickets() == 5 && totals.PriorityBreakdown.GetHigh() == 5, "totals", err)
	daily, _, err := client.StatisticsAPI.ReadDailyStatistics(ctx).Tz("Europe/Berlin").Since("2026-05-01").Before("2026-05-03").Execute()
	check(len(daily.GetDays()) == 2, "days", err)
	times, _, err := client.StatisticsAPI.ReadResolutionTimes(ctx).Execute()
	check(times.GetCount() == 1, "times", err)
	triage, _, err := client.StatisticsAPI.ReadTriageStatistics(ctx).Execute()
	check(triage.Category.GetSuggested() == 5, "triage", err)
	next := client.TicketsAPI.ClaimTicket(ctx).ClaimInput(*tickets.NewClaimInput("Kim")).Search("Broken").Priority([]string{"high"})
	claimed, _, err := next.Execute()
	check(claimed.GetAssignee() == "Kim" && claimed.GetStatus() == tickets.IN_PROGRESS, "claimed", err)
	_, response, err := next.Execute()
	check(response.StatusCode == 204, "nothing to claim", err)
	mine, _, err := client.TicketsAPI.ListTickets(ctx).Assignee([]string{"nobody", "kim"}).Assigned(true).Execute()
	check(len(mine) == 1 && mine[0].GetId() == claimed.GetId(), "mine", err)
	labelled := tickets.NewBulkChange()
	labelled.SetAddTags([]string{"VIP"})
	counts, _, err := client.TicketsAPI.ChangeTickets(ctx).BulkChange(*labelled).Assignee([]string{"kim"}).Execute()
	check(counts.GetMatched() == 1 && counts.GetChanged() == 1, "bulk change", err)
	none, _, err := client.TicketsAPI.ListTickets(ctx).Metadata(map[string]string{"plan": "pro"}).Execute()
	check(len(none) == 0, "metadata", err)
	duplicates, _, err := client.TicketsAPI.ListTickets(ctx).DuplicateOf([]string{claimed.GetId()}).Execute()
	check(len(duplicates) == 0, "duplicates", err)
	text := tickets.NewSimilarInput()
	text.SetTitle("It is broken this morning")
	alike, _, err := client.TicketsAPI.FindSimilarTickets(ctx).SimilarInput(*text).Execute()
	check(alike[0].GetId() == claimed.GetId() && alike[0].GetScore() > 0.5, "similar to a text", err)
	others, _, err := client.TicketsAPI.ListSimilarTickets(ctx, claimed.GetId()).Execute()
	check(len(others) == 0 || others[0].GetId() != claimed.GetId(), "similar tickets", err)
	suggestion, _, err := client.TriageAPI.ClassifyText(ctx).ClassifyInput(*tickets.NewClassifyInput("I cannot log in.")).Execute()
	check(suggestion.GetCategory() == suggestion.GetSuggestedCategory(), "suggestion", err)
}

func subscribe() {
	input := tickets.NewWebhookInput("https://example.com/tickets")
	input.SetTypes([]string{"ticket.created"})
	added, response, err := client.WebhooksAPI.CreateWebhook(ctx).WebhookInput(*input).Execute()
	check(added.GetSecret()[:6] == "whsec_" && response.StatusCode == 201, "webhook", err)
	listed, _, err := client.WebhooksAPI.ListWebhooks(ctx).Execute()
	check(len(listed) == 2 && listed[1].GetId() == added.GetId(), "webhooks", err)
	one, _, err := client.WebhooksAPI.ReadWebhook(ctx, added.GetId()).Execute()
	check(one.GetSecret() == "" && one.GetEnabled(), "one webhook", err)
	disabled := tickets.NewWebhookChange()
	disabled.SetEnabled(false)
	changed, _, err := client.WebhooksAPI.ChangeWebhook(ctx, added.GetId()).WebhookChange(*disabled).Execute()
	check(!changed.GetEnabled() && changed.GetDisabledReason() != "", "disabled", err)
	rotated, _, err := client.WebhooksAPI.RotateSecret(ctx, added.GetId()).Execute()
	check(rotated.GetSecret() != added.GetSecret(), "rotated", err)
	failed, _, err := client.WebhooksAPI.ListDeliveries(ctx, listed[0].GetId()).State([]string{"failed"}).Execute()
	check(len(failed) == 1, "deliveries", err)
	again, response, err := client.WebhooksAPI.Redeliver(ctx, listed[0].GetId(), failed[0].GetId()).Execute()
	check(again.GetState() == "pending" && response.StatusCode == 202, "repeated", err)
	response, err = client.WebhooksAPI.DeleteWebhook(ctx, added.GetId()).Execute()
	check(response.StatusCode == 204, "webhook deleted", err)
}

func remove(id string) {
	response, err := client.TicketsAPI.DeleteTicket(ctx, id).Execute()
	check(response.StatusCode == 204, "deleted", err)
	response, err = client.TicketsAPI.DeleteTicket(ctx, id).Execute()
	check(problem(err, response, 404).GetType() == "/docs/errors#not-found", "gone", nil)
}
